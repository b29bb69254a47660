// A kernel that hawser is built with, loaded into a context.
#pragma once

#include <array>
#include <memory>

#include "base/result.h"
#include "gpu/driver.h"

namespace hawser {

// Thread-safe. Whoever calls has the context current in which it was loaded.
class Kernel {
 public:
  static constexpr unsigned kWarpThreads = 32;
  using Grid = std::array<unsigned, 3>;  // thread blocks: x, y, z

  // The driver translates `ptx` for its GPU, which takes milliseconds. `driver` outlives it.
  static Result<std::unique_ptr<Kernel>> load(const CudaDriver& driver, const char* ptx,
                                              const char* entry);
  ~Kernel();
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  // Queues one launch; the arguments are read before it returns.
  Status launch(const Grid& grid, unsigned block_warps, CUstream stream, void** arguments) const;

 private:
  Kernel(const CudaDriver& driver, CUmodule module) : driver_(driver), module_(module) {}

  const CudaDriver& driver_;
  CUmodule module_;
  CUfunction function_ = nullptr;
};

}  // namespace hawser
