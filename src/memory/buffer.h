// Buffers we own: host memory, pinned host memory, GPU memory; all start on a 4 KiB page.
#pragma once

#include <memory>
#include <span>

#include "base/result.h"
#include "gpu/gpu.h"
#include "memory/range.h"

namespace hawser {

// Owns its memory. Not thread-safe by itself; distinct parts of range() may be used
// by distinct threads.
class Buffer {
 public:
  static Result<Buffer> host(std::size_t bytes);
  // Page-locked, for asynchronous copies to and from that GPU.
  static Result<Buffer> pinned(std::shared_ptr<Gpu> gpu, std::size_t bytes);
  // From cuMemAlloc in the GPU's primary context, its start aligned up to 4 KiB.
  static Result<Buffer> cuda(std::shared_ptr<Gpu> gpu, std::size_t bytes);

  Buffer(Buffer&&) noexcept;
  Buffer& operator=(Buffer&&) noexcept;
  ~Buffer();

  const MemoryRange& range() const { return range_; }

  // Copies between host bytes and the buffer, whatever its kind; done on return.
  // Out of bounds is Code::invalid_argument.
  Status write(std::size_t offset, std::span<const std::byte> from);
  Status read(std::size_t offset, std::span<std::byte> to) const;

 private:
  enum class Origin { host, pinned, cuda };
  Buffer(MemoryRange range, Origin origin, void* allocation, std::shared_ptr<Gpu> gpu);
  void release() noexcept;

  MemoryRange range_;
  Origin origin_;
  void* allocation_;  // what to free; range_.data is it, aligned up
  std::shared_ptr<Gpu> gpu_;
};

}  // namespace hawser
