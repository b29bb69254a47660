// The receives that are posted, and what has come of each, over whichever flow.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/tcp/frame.h"
#include "net/tcp/io_task.h"
#include "net/tcp/late_mutex.h"
#include "net/tcp/message_window.h"

namespace hawser::tcp {

struct ReceiveMessage : MessageBase {
  std::byte* data = nullptr;
  std::size_t capacity = 0;
  bool may_vanish = false;  // `data`, as MemoryRange has it
  // What follows is guarded by the board's mutex until it is done, and the caller's from then on.
  bool announced = false;
  std::uint64_t total = 0;  // what the sender announced
  // Bytes that a flow has begun to read, and that have come; one more for the beginning, so that an
  // empty message has something to wait for, and comes once only.
  std::uint64_t promised = 0;
  std::uint64_t received = 0;
  Lost lost = Lost::nothing;
  std::atomic<bool> complete{false};  // publishes the bytes, and `total`

  bool done() const { return complete.load(std::memory_order_acquire); }
};

// post() and its kin are for the caller's thread, the rest for any.
class ReceiveBoard {
 public:
  // nullptr: too early, the message of kMaxRequests posts ago has not been tested to its end.
  ReceiveMessage* post(void* data, std::size_t capacity, bool may_vanish = false);
  MessageWindow<ReceiveMessage>& window() { return window_; }
  // How many are posted and not complete, about: others may complete meanwhile.
  std::uint64_t awaited() const { return posts_ - complete_.load(std::memory_order_relaxed); }
  // The newest one's.
  std::size_t last_capacity() const { return last_capacity_; }

  // From now on flows may be driven by other threads.
  void share() { mutex_.share(); }

  // Where a piece belongs. Empty: its receive is not posted; `waiting`, where it is not null, is
  // remembered for arrived(). An error: no correct peer sends this, and nothing was changed that
  // matters.
  struct Place {
    ReceiveMessage* message = nullptr;
    std::byte* data = nullptr;
  };
  Result<Place> find(const FrameHeader& piece, IoTask* waiting);
  // All bytes of a piece that was found a place for are there, or have come and are lost.
  void finish(ReceiveMessage& message, const FrameHeader& piece, Lost lost = Lost::nothing);
  // For an error's text: "3 of 7 bytes received".
  std::string state_of(const ReceiveMessage& message);
  // The flows whose receive has been posted meanwhile; at most as many as fit.
  std::size_t arrived(std::span<IoTask*> to);

 private:
  struct Waiting {
    IoTask* driven;
    std::uint32_t sequence;
  };
  bool is_posted(std::uint32_t sequence) const;
  Status promise(ReceiveMessage& message, const FrameHeader& piece);

  MessageWindow<ReceiveMessage> window_;
  std::uint64_t posts_ = 0;                 // of the caller's thread
  std::size_t last_capacity_ = 0;           // likewise
  std::atomic<std::uint64_t> complete_{0};  // messages; a count, publishes nothing
  LateMutex mutex_;                         // guards what follows, and what is posted
  std::uint32_t posted_ = 0;
  std::vector<Waiting> waiting_;
};

}  // namespace hawser::tcp
