// The kernel of kernels/copy_blocks.cu: many pieces of memory copied by one launch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "gpu/driver.h"

namespace hawser {

// What the kernel reads of a piece, a warp to each; the .cu file mirrors it.
struct BlockTile {
  CUdeviceptr destination;
  CUdeviceptr source;
  std::uint32_t bytes;
  std::uint32_t unused[3];
};
static_assert(sizeof(BlockTile) == 32 && offsetof(BlockTile, bytes) == 16);

// The kernel, loaded into a context. Thread-safe. Whoever calls has that context current.
class BlockKernel {
 public:
  // The driver translates it for its GPU, which takes milliseconds. `driver` outlives it.
  static Result<std::unique_ptr<BlockKernel>> load(const CudaDriver& driver);
  ~BlockKernel();
  BlockKernel(const BlockKernel&) = delete;
  BlockKernel& operator=(const BlockKernel&) = delete;

  // Queues one launch, for at least one tile. The tiles are read when it runs, from memory that
  // the GPU reads, and must stay until then; no tile's destination may overlap another tile.
  Status launch(const BlockTile* tiles, std::uint32_t count, CUstream stream) const;

 private:
  BlockKernel(const CudaDriver& driver, CUmodule module) : driver_(driver), module_(module) {}

  const CudaDriver& driver_;
  CUmodule module_;
  CUfunction function_ = nullptr;
};

}  // namespace hawser
