#include "gpu/block_kernel.h"

#include <algorithm>

#include "gpu/kernels/copy_blocks_ptx.h"

namespace hawser {
namespace {

constexpr char kKernelName[] = "hawser_copy_blocks";
constexpr unsigned kWarpThreads = 32;
constexpr unsigned kBlockWarps = 4;

}  // namespace

Result<std::unique_ptr<BlockKernel>> BlockKernel::load(const CudaDriver& driver) {
  CUmodule module = nullptr;
  HAWSER_TRY(
      check_cuda(driver, driver.cuModuleLoadData(&module, kCopyBlocksPtx), "cuModuleLoadData"));
  auto kernel = std::unique_ptr<BlockKernel>(new BlockKernel(driver, module));
  HAWSER_TRY(check_cuda(driver, driver.cuModuleGetFunction(&kernel->function_, module, kKernelName),
                        "cuModuleGetFunction"));
  return kernel;
}

BlockKernel::~BlockKernel() {
  driver_.cuModuleUnload(module_);
}

Status BlockKernel::launch(const BlockTile* tiles, std::uint32_t count, CUstream stream,
                           unsigned most_blocks) const {
  const unsigned blocks = std::min((count + kBlockWarps - 1) / kBlockWarps, most_blocks);
  CUdeviceptr address = device_address(tiles);
  void* arguments[] = {&address, &count};
  return check_cuda(
      driver_,
      driver_.cuLaunchKernel(function_, blocks, 1, 1, kBlockWarps * kWarpThreads, 1, 1,
                             0 /* bytes of shared memory */, stream, arguments, nullptr),
      "cuLaunchKernel");
}

}  // namespace hawser
