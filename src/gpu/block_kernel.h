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
  // Enough for a copy over PCIe, and little enough to leave most of a GPU to whoever else uses it:
  // a warp has 4 KiB in flight, so these have 1 MiB.
  static constexpr unsigned kMostBlocks = 64;

  // The driver translates it for its GPU, which takes milliseconds. `driver` outlives it.
  static Result<std::unique_ptr<BlockKernel>> load(const CudaDriver& driver);
  ~BlockKernel();
  BlockKernel(const BlockKernel&) = delete;
  BlockKernel& operator=(const BlockKernel&) = delete;

  // Queues one launch, for at least one tile. The tiles are read when it runs, from memory that
  // the GPU reads, and must stay until then; no tile's destination may overlap another tile.
  // At most `most_blocks` thread blocks share them.
  Status launch(const BlockTile* tiles, std::uint32_t count, CUstream stream,
                unsigned most_blocks = kMostBlocks) const;

 private:
  BlockKernel(const CudaDriver& driver, CUmodule module) : driver_(driver), module_(module) {}

  const CudaDriver& driver_;
  CUmodule module_;
  CUfunction function_ = nullptr;
};

}  // namespace hawser
