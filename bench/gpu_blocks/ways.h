// Ways to copy blocks, all on one stream.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "gpu/block_copy.h"
#include "gpu/gpu.h"

namespace hawser::bench {

class Way {
 public:
  virtual ~Way() = default;
  virtual const char* name() const = 0;
  virtual Status queue(std::span<const BlockCopy> blocks) = 0;
};

// A stream of ours, and the ways that this driver has. Whoever calls has the GPU current.
class Ways {
 public:
  static Result<std::unique_ptr<Ways>> make(std::shared_ptr<Gpu> gpu);
  ~Ways();
  Ways(const Ways&) = delete;
  Ways& operator=(const Ways&) = delete;

  const std::vector<std::unique_ptr<Way>>& all() const { return ways_; }
  Way& kernel() const { return *ways_[0]; }  // the launches of GpuStream::copy_blocks
  Way& each() const { return *ways_[1]; }    // a cuMemcpyAsync per block
  const std::shared_ptr<Gpu>& gpu() const { return gpu_; }
  CUstream stream() const { return stream_; }
  Status finish() const;

 private:
  Ways(std::shared_ptr<Gpu> gpu, CUstream stream) : gpu_(std::move(gpu)), stream_(stream) {}

  std::shared_ptr<Gpu> gpu_;
  CUstream stream_;
  std::vector<std::unique_ptr<Way>> ways_;
};

}  // namespace hawser::bench
