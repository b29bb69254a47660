// Copies between host and GPU memory, queued and polled, so that copying and the
// network overlap. One queue per channel and direction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "gpu/block_copy.h"

namespace hawser {

class CarefulCopies;
class Gpu;

// Not thread-safe. Marks count 1, 2, 3 ...; a mark is finished when every copy queued
// before it is, and the bytes are then visible to whoever saw it finished. Source and
// destination must not overlap and stay valid until then.
class CopyQueue {
 public:
  virtual ~CopyQueue() = default;
  virtual Status copy(void* destination, const void* source, std::size_t bytes) = 0;
  // Many blocks as one copy; among themselves in no order. On a GPU each end must be memory of
  // that GPU or pinned; see GpuStream::copy_blocks.
  virtual Status copy_blocks(std::span<const BlockCopy> blocks) = 0;
  // Makes ahead of time what the first copy_blocks needs.
  virtual Status prepare_blocks() = 0;
  virtual Result<std::uint64_t> mark() = 0;
  // A mark that was never made is Code::invalid_argument.
  virtual Result<bool> finished(std::uint64_t mark) = 0;
};

// memcpy at once, host memory only: every mark is finished when it is made.
std::unique_ptr<CopyQueue> make_host_copy_queue();
// The same of memory that may not be there: Code::invalid_argument then, with a part of it copied.
// The copies are the caller's.
std::unique_ptr<CopyQueue> make_careful_copy_queue(const CarefulCopies& copies);
// Asynchronous driver copies on a stream of its own; at most `max_marks` unfinished.
Result<std::unique_ptr<CopyQueue>> make_gpu_copy_queue(std::shared_ptr<Gpu> gpu, int max_marks);

}  // namespace hawser
