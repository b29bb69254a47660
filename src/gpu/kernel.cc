#include "gpu/kernel.h"

namespace hawser {

Result<std::unique_ptr<Kernel>> Kernel::load(const CudaDriver& driver, const char* ptx,
                                             const char* entry) {
  CUmodule module = nullptr;
  HAWSER_TRY(check_cuda(driver, driver.cuModuleLoadData(&module, ptx), "cuModuleLoadData"));
  auto kernel = std::unique_ptr<Kernel>(new Kernel(driver, module));
  HAWSER_TRY(check_cuda(driver, driver.cuModuleGetFunction(&kernel->function_, module, entry),
                        "cuModuleGetFunction"));
  return kernel;
}

Kernel::~Kernel() {
  driver_.cuModuleUnload(module_);
}

Status Kernel::launch(const Grid& grid, unsigned block_warps, CUstream stream,
                      void** arguments) const {
  return check_cuda(driver_,
                    driver_.cuLaunchKernel(
                        function_, grid[0], grid[1], grid[2], block_warps * kWarpThreads, 1, 1,
                        0 /* bytes of shared memory, beyond its own */, stream, arguments, nullptr),
                    "cuLaunchKernel");
}

}  // namespace hawser
