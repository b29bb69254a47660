// The descriptors of block copies: pinned memory that the kernel reads while it runs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "gpu/block_copy.h"
#include "gpu/gpu.h"

namespace hawser {

class BlockKernel;
struct BlockTile;

// Launches block copies on one stream. Its memory is made once, and goes round in segments: one is
// written again only when all launches that read it have finished. Not thread-safe. Every method
// wants the GPU to be the calling thread's current one.
class BlockRing {
 public:
  // A block is cut into tiles, so that the GPU's warps share a long one.
  static constexpr std::size_t kTileBytes = 8 << 10;
  static constexpr std::size_t kSegments = 4;
  static constexpr std::size_t kSegmentTiles = 4096;
  // Longer ones than any chunk leave the GPU's processors alone.
  static constexpr std::size_t kLargeBlockBytes = 8 << 20;

  static Result<std::unique_ptr<BlockRing>> create(std::shared_ptr<Gpu> gpu,
                                                   const BlockKernel& kernel);
  ~BlockRing();  // none of its launches may be unfinished
  BlockRing(const BlockRing&) = delete;
  BlockRing& operator=(const BlockRing&) = delete;

  static bool takes(const BlockCopy& block) {
    return block.bytes > 0 && block.bytes < kLargeBlockBytes;
  }

  // Queues the blocks that it takes, and passes over the others: one launch for up to
  // kSegmentTiles tiles, else one for each so many. It waits only where kSegments - 1 segments
  // hold tiles of unfinished launches.
  Status copy(std::span<const BlockCopy> blocks, CUstream stream);

 private:
  BlockRing(std::shared_ptr<Gpu> gpu, const BlockKernel& kernel, BlockTile* tiles);
  BlockTile* segment() const;
  Status add(const BlockCopy& block, CUstream stream);
  Status launch(CUstream stream);
  Status next_segment(CUstream stream);

  std::shared_ptr<Gpu> gpu_;
  const BlockKernel& kernel_;
  BlockTile* tiles_;
  std::array<CUevent, kSegments> left_{};  // by segment: its launches are before this
  std::size_t current_ = 0;                // segment
  std::size_t used_ = 0;                   // tiles of it that are written
  std::size_t launched_ = 0;               // tiles of it that a launch reads
};

}  // namespace hawser
