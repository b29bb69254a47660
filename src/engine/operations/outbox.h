// What a link has to send, until a channel takes it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "engine/operations/operation.h"
#include "engine/operations/order_window.h"
#include "engine/wire.h"

namespace hawser::engine {

// Guarded by the mutex of whoever owns it, but for unsent_bytes() and has_messages().
class Outbox {
 public:
  // Behind all others, with the next number.
  void post(MessagePtr message) {
    message->order = ++last_order_;
    add(std::move(message));
  }
  // Without a number: it is taken whenever it comes. Before all others, which may have to wait for
  // it.
  void post_unordered(MessagePtr message);
  // Before all others: a channel had it, and went down.
  void post_again(MessagePtr message);

  // The data of an operation, a chunk at a time in turn with that of others.
  void add(std::shared_ptr<Outgoing> op);
  void add_again(OutChunk chunk);
  // Of an operation that has stopped; gone from here, however much else there is.
  void drop(Outgoing& op);

  // A message has been taken in by the peer.
  void acknowledged(const Message& message) {
    if (message.order == 0) return;
    window_.acknowledged(message.order);
    bytes_ahead_ -= wire::encoded_bytes(message.record);
  }

  // Moves messages into a frame while they fit, and are not too far ahead of what is lost.
  void take_messages(wire::FrameBuilder& frame, std::vector<MessagePtr>& sent);
  struct Limits {
    std::size_t chunks = 0;
    std::uint64_t bytes = 0;
    std::size_t plain_slots = 0;
    std::size_t pinned_slots = 0;
    std::uint64_t chunk_bytes = 0;  // at most
    std::size_t channels = 1;       // of the link
  };
  void take_chunks(Limits limits, std::vector<OutChunk>& taken);

  void clear();

  bool has_messages() const { return message_count_.load(std::memory_order_relaxed) > 0; }
  std::uint64_t unsent_bytes() const { return unsent_bytes_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint64_t kShareUnit = 64 * 1024;
  static constexpr std::uint64_t kLeastShare = 128 * 1024;
  static constexpr std::uint64_t kMostBytesAhead = 16 << 20;

  bool admits(const Message& message) const;
  void add(MessagePtr message);
  static std::uint64_t chunk_bytes(const Outgoing& op, const Limits& limits);
  static bool take_slot(const Outgoing& op, bool one_piece, std::uint64_t bytes, Limits& limits);
  bool take_again(Limits& limits, std::vector<OutChunk>& taken);
  bool take_next(Limits& limits, std::vector<OutChunk>& taken);
  static void count(const OutChunk& chunk, Limits& limits);

  std::deque<MessagePtr> messages_;
  Outgoing::List again_;  // those with chunks that go out again
  Outgoing::List bulk_;   // those with chunks that never did, each in its turn
  std::uint64_t last_order_ = 0;
  OrderWindow window_;
  std::uint64_t bytes_ahead_ = 0;   // of messages with a number, taken and not acknowledged
  std::uint64_t newest_taken_ = 0;  // number
  std::atomic<std::size_t> message_count_{0};
  std::atomic<std::uint64_t> unsent_bytes_{0};
};

}  // namespace hawser::engine
