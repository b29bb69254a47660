#include "gpu/unpack_kernel.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gpu/kernels/unpack_ptx.h"

namespace hawser {
namespace {

constexpr unsigned kFragmentsPerBlock = 8;  // a warp each; their descriptors are 128 bytes
constexpr std::uint32_t kTileBytes = 8192;
constexpr std::uint32_t kMostLayers = 64;  // that share one fragment

}  // namespace

Result<std::unique_ptr<UnpackKernel>> UnpackKernel::load(const CudaDriver& driver) {
  HAWSER_ASSIGN(auto kernel, Kernel::load(driver, kUnpackPtx, "hawser_unpack"));
  return std::unique_ptr<UnpackKernel>(new UnpackKernel(std::move(kernel)));
}

Status UnpackKernel::launch(std::span<const UnpackReceive> receives, std::uint32_t longest,
                            CUstream stream) const {
  std::array<UnpackReceive, kMostReceives> argument{};
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < receives.size(); ++i) {
    argument[i] = receives[i];
    most = std::max(most, receives[i].count);
  }
  const auto blocks = static_cast<unsigned>((most + kFragmentsPerBlock - 1) / kFragmentsPerBlock);
  const unsigned layers = std::clamp((longest + kTileBytes - 1) / kTileBytes, 1U, kMostLayers);
  void* arguments[] = {&argument};
  return kernel_->launch({blocks, static_cast<unsigned>(receives.size()), layers},
                         kFragmentsPerBlock, stream, arguments);
}

}  // namespace hawser
