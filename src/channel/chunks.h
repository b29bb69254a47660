// How a transfer is cut into requests. Both sides cut alike: sizes are agreed, never guessed.
#pragma once

#include <algorithm>
#include <cstddef>

namespace hawser {

struct Chunk {
  std::size_t offset = 0;
  std::size_t bytes = 0;
};

// The chunks of `bytes`, in order; an empty transfer is one empty chunk. A value.
class Chunks {
 public:
  Chunks() = default;
  Chunks(std::size_t bytes, std::size_t chunk_bytes)
      : bytes_(bytes), chunk_bytes_(chunk_bytes), left_(true) {}

  bool empty() const { return !left_; }
  Chunk next() {
    const Chunk chunk{offset_, std::min(chunk_bytes_, bytes_ - offset_)};
    offset_ += chunk.bytes;
    left_ = offset_ < bytes_;
    return chunk;
  }

 private:
  std::size_t bytes_ = 0;
  std::size_t chunk_bytes_ = 0;
  std::size_t offset_ = 0;
  bool left_ = false;
};

}  // namespace hawser
