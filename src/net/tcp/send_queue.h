// What a comm has to send, and who of its flows sends which piece of it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "net/tcp/frame.h"
#include "net/tcp/io_task.h"
#include "net/tcp/late_mutex.h"
#include "net/tcp/message_window.h"

namespace hawser::tcp {

struct SendMessage : MessageBase {
  const std::byte* data = nullptr;
  std::uint64_t bytes = 0;
  std::uint32_t tag = 0;
  bool may_vanish = false;  // `data`, as MemoryRange has it
  // A flow could not read it: it goes out as zeros, and says so. Published by `left`.
  std::atomic<bool> lost{false};
  // Bytes that no socket has taken, and one for the beginning: 0 is done. Publishes that nobody
  // reads the buffer any more.
  std::atomic<std::uint64_t> left{0};

  bool done() const { return left.load(std::memory_order_acquire) == 0; }
};

// A part of a message that one flow sends as a frame. Without a message it is a frame of the
// transport's own.
struct Piece {
  SendMessage* message = nullptr;
  const std::byte* data = nullptr;
  std::uint64_t bytes = 0;
  std::uint64_t weight = 0;  // of SendMessage::left
  HeaderBytes header{};
  bool lost = false;  // what is left of `data` cannot be read

  std::uint64_t frame_bytes() const { return tcp::frame_bytes(bytes); }
};

// Pieces are taken by demand: whichever flow is ready takes the next one, so that a slow flow has
// few and a fast one many. They shrink towards the end of what is queued, so that all flows end at
// about the same time. post() and its kin are for the caller's thread, the rest for any.
class SendQueue {
 public:
  static constexpr std::size_t kMinPieceBytes = 64 * 1024;
  static constexpr std::size_t kMaxPieceBytes = 512 * 1024;
  // Such messages are left to I/O threads, where those drive flows.
  static constexpr std::size_t kLargeBytes = 64 * 1024;
  static constexpr std::size_t kPieceUnit = 4 * 1024;  // pieces begin aligned as the message does
  // One flow alone takes whole messages, up to about so many bytes at a time.
  static constexpr std::size_t kBatchBytes = 1024 * 1024;

  // nullptr: too early, the message of kMaxRequests posts ago has not been tested to its end.
  SendMessage* post(const void* data, std::size_t bytes, int tag, bool may_vanish = false);
  MessageWindow<SendMessage>& window() { return window_; }
  // Bytes that no flow has taken.
  std::uint64_t unclaimed() const;

  // Who asks for pieces.
  struct Taker {
    IoTask* idle = nullptr;  // remembered for wanted() where there is nothing; null: somebody polls
    bool large = true;       // takes large messages, too
  };
  // The next pieces, in order, for one flow; how many.
  std::size_t claim(std::span<Piece> to, const Taker& taker);
  // How many flows there are, or are about to be; one at first. Before any of them is there.
  void expect_flows(unsigned flows);
  void lose_flow();
  // Whether the first flow, which the caller drives, takes all: others keep what they have begun.
  void keep_to_first(bool alone);
  // Whether threads drive flows that can send.
  void have_threads();
  bool has_threads() const;
  // Idle flows there is enough work for, at most as many as fit, the latest to fall idle first;
  // they count as not idle then.
  std::size_t wanted(std::span<IoTask*> to);

 private:
  void note_idle(IoTask& driven);
  bool alone() const { return flows_ == 1 || kept_to_first_; }
  std::uint64_t share() const;
  Piece take(std::uint64_t limit);

  MessageWindow<SendMessage> window_;
  mutable LateMutex mutex_;  // guards what follows, and what is in the window up to posted_
  std::uint32_t posted_ = 0;
  std::uint32_t next_ = 0;    // the message that is taken next
  std::uint64_t offset_ = 0;  // of it, already taken
  std::uint64_t unclaimed_ = 0;
  unsigned flows_ = 1;
  bool kept_to_first_ = false;
  bool threads_ = false;
  std::vector<IoTask*> idle_;
};

}  // namespace hawser::tcp
