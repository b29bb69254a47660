// The memory that blocks are gathered from and scattered to.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "gpu/block_copy.h"
#include "memory/buffer.h"

namespace hawser::bench {

enum class Direction { gather, scatter };  // GPU to pinned memory, and back
const char* direction_name(Direction direction);

// `calls` one after the other, each for `blocks` blocks.
struct Shape {
  std::size_t calls = 1;
  std::size_t blocks = 1;
  std::size_t block_bytes = 4096;
  std::size_t skew_bytes = 0;  // by which the GPU's side is off a 16-byte boundary

  std::size_t bytes() const { return calls * blocks * block_bytes; }
  std::string text() const;
};

// Blocks next to each other in pinned memory, and in a random order, with gaps, in the GPU's.
class Layout {
 public:
  static Result<Layout> make(const std::shared_ptr<Gpu>& gpu, const Shape& shape);

  // One call's blocks.
  std::span<const BlockCopy> blocks(Direction direction, std::size_t call) const;
  // As many bytes in one piece.
  BlockCopy contiguous(Direction direction) const;

  // Writes both sides anew, so that `verify` shows what copying did in between.
  Status reset(Direction direction);
  Status verify(Direction direction) const;  // Code::data where a byte is not what it should be

 private:
  Layout(const Shape& shape, Buffer device, Buffer staging);
  std::size_t device_offset(std::size_t block) const;
  Status compare_device() const;
  Status compare_staging() const;

  Shape shape_;
  Buffer device_;
  Buffer staging_;
  std::vector<std::size_t> slots_;  // by block
  std::vector<BlockCopy> gather_;
  std::vector<BlockCopy> scatter_;
  std::vector<std::byte> device_bytes_;   // after reset
  std::vector<std::byte> staging_bytes_;  // after reset
};

}  // namespace hawser::bench
