// The kernel of kernels/unpack.cu: receives that lie in a bounce pool as fragments, put in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "base/result.h"
#include "gpu/driver.h"
#include "gpu/kernel.h"

namespace hawser {

// One receive. The kernel reads `count` descriptors of 16 bytes {u32 source offset, u32 bytes,
// u64 destination offset} at `fragments`, which is memory that the GPU reads: where the plugin
// wrote them. The .cu file mirrors it.
struct UnpackReceive {
  CUdeviceptr fragments = 0;
  CUdeviceptr source = 0;       // what the source offsets start from
  CUdeviceptr destination = 0;  // what the destination offsets start from
  std::uint64_t count = 0;
};
static_assert(sizeof(UnpackReceive) == 32 && offsetof(UnpackReceive, count) == 24);

// Thread-safe. Whoever calls has the context current in which it was loaded.
class UnpackKernel {
 public:
  static constexpr std::size_t kMostReceives = 16;  // of one launch

  static Result<std::unique_ptr<UnpackKernel>> load(const CudaDriver& driver);

  // Queues one launch for 1 to kMostReceives receives. Descriptors and pool must stay as they are
  // until it has run. `longest` is the bytes of the longest fragment among them.
  Status launch(std::span<const UnpackReceive> receives, std::uint32_t longest,
                CUstream stream) const;

 private:
  explicit UnpackKernel(std::unique_ptr<Kernel> kernel) : kernel_(std::move(kernel)) {}

  std::unique_ptr<Kernel> kernel_;
};

}  // namespace hawser
