// Buffers we own: host memory, pinned host memory, GPU memory; all start on a 4 KiB page.
#pragma once

#include <memory>
#include <span>

#include "base/result.h"
#include "memory/range.h"

namespace hawser {

class Gpu;

// Owns its memory, and keeps the GPU it came from open. Move-only; a moved-from
// buffer is only to be assigned or destroyed. Not thread-safe by itself; distinct
// parts of range() may be used by distinct threads.
class Buffer {
 public:
  // Zeroed, so that every page is there before the first transfer.
  static Result<Buffer> host(std::size_t bytes);
  // Page-locked, for asynchronous copies to and from that GPU. Not zeroed.
  static Result<Buffer> pinned(std::shared_ptr<Gpu> gpu, std::size_t bytes);
  // From cuMemAlloc in the GPU's primary context: whole pages of 4 KiB, all its own. Not zeroed.
  static Result<Buffer> cuda(std::shared_ptr<Gpu> gpu, std::size_t bytes);

  Buffer(Buffer&&) noexcept = default;
  Buffer& operator=(Buffer&&) noexcept = default;

  const MemoryRange& range() const { return range_; }

  // Copies between host bytes and the buffer, whatever its kind; done on return.
  // Out of bounds is Code::invalid_argument. For GPU memory the GPU becomes the
  // calling thread's current one.
  Status write(std::size_t offset, std::span<const std::byte> from);
  Status read(std::size_t offset, std::span<std::byte> to) const;

 private:
  Buffer(MemoryRange range, std::shared_ptr<void> allocation, std::shared_ptr<Gpu> gpu);
  Status check_bounds(const char* doing, std::size_t offset, std::size_t bytes) const;

  MemoryRange range_;
  std::shared_ptr<void> allocation_;  // frees itself; range_.data is it, aligned up
  std::shared_ptr<Gpu> gpu_;          // of cuda memory only
};

}  // namespace hawser
