// Points in streams of others, for our copies to start after.
#pragma once

#include <memory>

#include "base/result.h"
#include "gpu/gpu.h"

namespace hawser {

// A point in a stream of the user's: all that was queued on it when this was made. Immutable, so
// any thread may use it; GpuStream::wait_for waits for it on the GPU, the CPU may look.
class GpuEvent {
 public:
  // `stream` is a CUstream (or cudaStream_t) of that GPU's primary context, which the CUDA
  // runtime and frameworks use; null: the legacy default stream. Asynchronous. A stream that is
  // being captured into a graph is Code::invalid_argument: what waits for it would be captured,
  // too.
  static Result<std::shared_ptr<GpuEvent>> record(std::shared_ptr<Gpu> gpu, void* stream);
  // Whether all that was queued before it has finished. Never blocks.
  Result<bool> finished() const;
  // Whoever waits for it already goes on waiting.
  ~GpuEvent();
  GpuEvent(const GpuEvent&) = delete;
  GpuEvent& operator=(const GpuEvent&) = delete;

 private:
  friend class GpuStream;
  GpuEvent(std::shared_ptr<Gpu> gpu, CUevent event);

  std::shared_ptr<Gpu> gpu_;
  CUevent event_;
};

}  // namespace hawser
