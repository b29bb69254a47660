// The kernel of kernels/copy_blocks.cu: many pieces of memory copied by one launch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/result.h"
#include "gpu/driver.h"
#include "gpu/kernel.h"

namespace hawser {

// What the kernel reads of a piece, a warp to each; the .cu file mirrors it.
struct BlockTile {
  CUdeviceptr destination;
  CUdeviceptr source;
  std::uint32_t bytes;
  std::uint32_t unused[3];
};
static_assert(sizeof(BlockTile) == 32 && offsetof(BlockTile, bytes) == 16);

// Thread-safe. Whoever calls has the context current in which it was loaded.
class BlockKernel {
 public:
  // Enough for a copy over PCIe, and little enough to leave most of a GPU to whoever else uses it:
  // a warp has 4 KiB in flight, so these have 1 MiB.
  static constexpr unsigned kMostBlocks = 64;

  static Result<std::unique_ptr<BlockKernel>> load(const CudaDriver& driver);

  // Queues one launch, for at least one tile. The tiles are read when it runs, from memory that
  // the GPU reads, and must stay until then; no tile's destination may overlap another tile.
  // At most `most_blocks` thread blocks share them.
  Status launch(const BlockTile* tiles, std::uint32_t count, CUstream stream,
                unsigned most_blocks = kMostBlocks) const;

 private:
  explicit BlockKernel(std::unique_ptr<Kernel> kernel) : kernel_(std::move(kernel)) {}

  std::unique_ptr<Kernel> kernel_;
};

}  // namespace hawser
