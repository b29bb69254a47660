// How a transfer is cut into requests. Both sides cut alike: sizes are agreed, never guessed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace hawser {

struct Chunk {
  std::size_t offset = 0;
  std::size_t bytes = 0;
};

// A run of messages of the same size, one after another without a pause, in slots that follow each
// other in memory: message n lies in slot n % slots. One transfer is one message in one slot.
struct MessageRun {
  std::size_t message_bytes = 0;
  std::uint64_t messages = 1;
  std::size_t slots = 1;
};

// The chunks of a run, in order; an empty message is one empty chunk. A value.
class Chunks {
 public:
  Chunks() = default;
  Chunks(std::size_t bytes, std::size_t chunk_bytes) : Chunks(MessageRun{bytes}, chunk_bytes) {}
  Chunks(const MessageRun& run, std::size_t chunk_bytes) : run_(run), chunk_bytes_(chunk_bytes) {}

  bool empty() const { return message_ == run_.messages; }
  Chunk next() {
    const Chunk chunk{slot_ * run_.message_bytes + offset_,
                      std::min(chunk_bytes_, run_.message_bytes - offset_)};
    offset_ += chunk.bytes;
    if (offset_ == run_.message_bytes) next_message();
    return chunk;
  }
  // So many follow each other without two of them sharing a byte.
  std::size_t disjoint() const {
    if (run_.message_bytes <= chunk_bytes_) return run_.slots;
    return run_.slots * ((run_.message_bytes + chunk_bytes_ - 1) / chunk_bytes_);
  }

 private:
  void next_message() {
    offset_ = 0;
    ++message_;
    if (++slot_ == run_.slots) slot_ = 0;
  }

  MessageRun run_{0, 0, 1};
  std::size_t chunk_bytes_ = 0;
  std::size_t slot_ = 0;
  std::size_t offset_ = 0;
  std::uint64_t message_ = 0;
};

}  // namespace hawser
