// Points in streams of others, for transfers to start after.
#pragma once

#include <memory>
#include <utility>

#include "base/result.h"
#include "gpu/gpu.h"

namespace hawser {

// A point in a stream of the user's: all that was queued on it when this was made. Immutable, so
// any thread may use it.
class GpuEvent {
 public:
  // `stream` is a CUstream (or cudaStream_t) of that GPU's primary context, which the CUDA
  // runtime and frameworks use; null: the legacy default stream. Asynchronous. A stream that is
  // being captured into a graph is Code::invalid_argument: its events belong to the graph.
  static Result<std::shared_ptr<GpuEvent>> record(std::shared_ptr<Gpu> gpu, void* stream);
  // Whether all that was queued before it has finished. Never blocks.
  Result<bool> finished() const;
  // Whose stream: no two have the same, but for those that threads have by default.
  using Stream = std::pair<const Gpu*, const void*>;
  Stream stream() const { return {gpu_.get(), stream_}; }
  ~GpuEvent();
  GpuEvent(const GpuEvent&) = delete;
  GpuEvent& operator=(const GpuEvent&) = delete;

 private:
  GpuEvent(std::shared_ptr<Gpu> gpu, CUevent event, const void* stream);

  const std::shared_ptr<Gpu> gpu_;
  const CUevent event_;
  const void* const stream_;
};

}  // namespace hawser
