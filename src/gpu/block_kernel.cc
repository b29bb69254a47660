#include "gpu/block_kernel.h"

#include <algorithm>
#include <utility>

#include "gpu/kernels/copy_blocks_ptx.h"

namespace hawser {
namespace {

constexpr unsigned kTilesPerBlock = 4;  // a warp each

}  // namespace

Result<std::unique_ptr<BlockKernel>> BlockKernel::load(const CudaDriver& driver) {
  HAWSER_ASSIGN(auto kernel, Kernel::load(driver, kCopyBlocksPtx, "hawser_copy_blocks"));
  return std::unique_ptr<BlockKernel>(new BlockKernel(std::move(kernel)));
}

Status BlockKernel::launch(const BlockTile* tiles, std::uint32_t count, CUstream stream,
                           unsigned most_blocks) const {
  const unsigned blocks = std::min((count + kTilesPerBlock - 1) / kTilesPerBlock, most_blocks);
  CUdeviceptr address = device_address(tiles);
  void* arguments[] = {&address, &count};
  return kernel_->launch({blocks, 1, 1}, kTilesPerBlock, stream, arguments);
}

}  // namespace hawser
