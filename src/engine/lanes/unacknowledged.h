// What was sent over a channel and the peer has not said to have taken in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "engine/operations/operation.h"
#include "engine/wire.h"

namespace hawser::engine {

// Counts from the channel's birth. A pure structure: not thread-safe.
class Unacknowledged {
 public:
  struct Frame {
    std::vector<MessagePtr> messages;
    bool awaited = false;  // it says more than an acknowledgement, so there will be one of it
  };
  struct Chunk {
    OutChunk chunk;
    TimePoint sent_at;
  };

  void sent(Frame frame) { frames_.push_back(std::move(frame)); }
  void sent(Chunk chunk) { chunks_.push_back(std::move(chunk)); }
  std::size_t chunks() const { return chunks_.size(); }

  // What one small packet, as any way takes it, surely has no room for.
  static constexpr std::size_t kLargeBytes = 2048;
  static bool large(const OutChunk& chunk) { return chunk.ref.bytes >= kLargeBytes; }
  static bool large(const MessagePtr& message) { return message->bytes.size() >= kLargeBytes; }
  // That went out before then.
  bool has_large(TimePoint before) const {
    return std::ranges::any_of(
               chunks_,
               [&](const Chunk& one) { return large(one.chunk) && one.sent_at <= before; }) ||
           std::ranges::any_of(frames_, [](const Frame& frame) {
             return std::ranges::any_of(frame.messages,
                                        [](const MessagePtr& one) { return large(one); });
           });
  }

  // Whether a peer may say that.
  bool allows(const wire::Ack& ack) const {
    return ack.frames - acked_.frames <= frames_.size() &&
           ack.chunks - acked_.chunks <= chunks_.size();
  }
  // Calls on_frame(Frame&) and on_chunk(Chunk&) for each that is acknowledged by that, oldest
  // first.
  template <class OnFrame, class OnChunk>
  void take(const wire::Ack& ack, OnFrame&& on_frame, OnChunk&& on_chunk) {
    for (; acked_.frames != ack.frames; ++acked_.frames) {
      on_frame(frames_.front());
      frames_.pop_front();
    }
    for (; acked_.chunks != ack.chunks; ++acked_.chunks) {
      on_chunk(chunks_.front());
      chunks_.pop_front();
    }
  }
  // All that is left, which will never be acknowledged.
  std::vector<MessagePtr> take_messages() {
    std::vector<MessagePtr> left;
    for (Frame& frame : frames_)
      std::move(frame.messages.begin(), frame.messages.end(), std::back_inserter(left));
    frames_.clear();
    return left;
  }
  std::vector<OutChunk> take_chunks() {
    std::vector<OutChunk> left;
    for (Chunk& chunk : chunks_) left.push_back(std::move(chunk.chunk));
    chunks_.clear();
    return left;
  }

 private:
  wire::Ack acked_;
  std::deque<Frame> frames_;
  std::deque<Chunk> chunks_;
};

}  // namespace hawser::engine
