#include "gpu/block_ring.h"

#include <algorithm>
#include <utility>

#include "gpu/block_kernel.h"

namespace hawser {
namespace {

constexpr unsigned kSegmentEventFlags = 2;  // CU_EVENT_DISABLE_TIMING
constexpr std::size_t kRingBytes =
    BlockRing::kSegments * BlockRing::kSegmentTiles * sizeof(BlockTile);

std::size_t count_tiles(std::span<const BlockCopy> blocks) {
  std::size_t count = 0;
  for (const BlockCopy& block : blocks)
    if (BlockRing::takes(block))
      count += (block.bytes + BlockRing::kTileBytes - 1) / BlockRing::kTileBytes;
  return count;
}

}  // namespace

Result<std::unique_ptr<BlockRing>> BlockRing::create(std::shared_ptr<Gpu> gpu,
                                                     const BlockKernel& kernel) {
  HAWSER_ASSIGN(void* const memory, gpu->allocate_pinned(kRingBytes));
  const CudaDriver& driver = gpu->driver();
  auto ring = std::unique_ptr<BlockRing>(
      new BlockRing(std::move(gpu), kernel, static_cast<BlockTile*>(memory)));
  for (CUevent& event : ring->left_)
    HAWSER_TRY(
        check_cuda(driver, driver.cuEventCreate(&event, kSegmentEventFlags), "cuEventCreate"));
  return ring;
}

BlockRing::BlockRing(std::shared_ptr<Gpu> gpu, const BlockKernel& kernel, BlockTile* tiles)
    : gpu_(std::move(gpu)), kernel_(kernel), tiles_(tiles) {}

BlockRing::~BlockRing() {
  for (CUevent event : left_)
    if (event != nullptr) gpu_->driver().cuEventDestroy(event);
  (void)gpu_->free_pinned(tiles_);  // fails only where the context is lost, and all its memory
}

BlockTile* BlockRing::segment() const {
  return tiles_ + current_ * kSegmentTiles;
}

// What a call that failed left written is forgotten by the next.
Status BlockRing::copy(std::span<const BlockCopy> blocks, CUstream stream) {
  used_ = launched_;
  const std::size_t count = count_tiles(blocks);
  if (count <= kSegmentTiles && count > kSegmentTiles - used_) HAWSER_TRY(next_segment(stream));
  for (const BlockCopy& block : blocks)
    if (takes(block)) HAWSER_TRY(add(block, stream));
  return launch(stream);
}

Status BlockRing::add(const BlockCopy& block, CUstream stream) {
  for (std::size_t offset = 0; offset < block.bytes; offset += kTileBytes) {
    if (used_ == kSegmentTiles) {
      HAWSER_TRY(launch(stream));
      HAWSER_TRY(next_segment(stream));
    }
    const std::size_t bytes = std::min(kTileBytes, block.bytes - offset);
    segment()[used_++] = {device_address(block.destination) + offset,
                          device_address(block.source) + offset,
                          static_cast<std::uint32_t>(bytes),
                          {}};
  }
  return {};
}

Status BlockRing::launch(CUstream stream) {
  if (used_ == launched_) return {};
  const auto count = static_cast<std::uint32_t>(used_ - launched_);
  HAWSER_TRY(kernel_.launch(segment() + launched_, count, stream));
  launched_ = used_;
  return {};
}

// An event that was never recorded counts as finished.
Status BlockRing::next_segment(CUstream stream) {
  const CudaDriver& driver = gpu_->driver();
  HAWSER_TRY(check_cuda(driver, driver.cuEventRecord(left_[current_], stream), "cuEventRecord"));
  const std::size_t next = (current_ + 1) % kSegments;
  HAWSER_TRY(check_cuda(driver, driver.cuEventSynchronize(left_[next]), "cuEventSynchronize"));
  current_ = next;
  used_ = launched_ = 0;
  return {};
}

}  // namespace hawser
