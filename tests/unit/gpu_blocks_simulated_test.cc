// Block copies, as only the simulated driver can show them: how many launches there are, when the
// ring waits, and what a wrong address does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <vector>

#include "cudasim/drivers.h"
#include "gpu/block_ring.h"
#include "gpu/gpu.h"
#include "memory/buffer.h"

namespace hawser {
namespace {

constexpr std::size_t kSmallBlock = 32;
constexpr std::size_t kSegmentTiles = BlockRing::kSegmentTiles;

class SimulatedBlocks : public testing::Test {
 protected:
  void SetUp() override {
    gpu_ = *Gpu::open(*load_cudasim(), 1);
    stream_ = *GpuStream::create(gpu_, 4);
    before_ = cudasim_counts();
  }
  void make_memory(std::size_t blocks) {
    device_ = std::make_unique<Buffer>(*Buffer::cuda(gpu_, blocks * kSmallBlock));
    staging_ = std::make_unique<Buffer>(*Buffer::pinned(gpu_, blocks * kSmallBlock));
  }
  // Into staging memory: block i comes from block count - 1 - i of the device.
  std::vector<BlockCopy> reversed(std::size_t count) const {
    std::vector<BlockCopy> blocks;
    for (std::size_t i = 0; i < count; ++i)
      blocks.push_back({staging_->range().at(i * kSmallBlock),
                        device_->range().at((count - 1 - i) * kSmallBlock), kSmallBlock});
    return blocks;
  }
  std::size_t launches() const { return cudasim_counts().launches - before_.launches; }
  std::size_t copies() const { return cudasim_counts().copies - before_.copies; }

  std::shared_ptr<Gpu> gpu_;
  std::unique_ptr<GpuStream> stream_;
  std::unique_ptr<Buffer> device_, staging_;
  HawserCudasimCounts before_{};
};

TEST_F(SimulatedBlocks, AreOneLaunchAndNoCopy) {
  make_memory(kSegmentTiles);
  for (std::size_t round = 1; round <= 5; ++round) {
    ASSERT_TRUE(stream_->copy_blocks(reversed(kSegmentTiles - round * 100)).ok());
    EXPECT_EQ(launches(), round);
  }
  EXPECT_EQ(copies(), 0u);
}

TEST_F(SimulatedBlocks, MoreThanASegmentAreALaunchForEach) {
  make_memory(3 * kSegmentTiles);
  ASSERT_TRUE(stream_->copy_blocks(reversed(3 * kSegmentTiles)).ok());
  EXPECT_EQ(launches(), 3u);
}

TEST_F(SimulatedBlocks, FewAreCopiesAndNoLaunch) {
  make_memory(2);
  ASSERT_TRUE(stream_->copy_blocks(reversed(2)).ok());
  EXPECT_EQ(launches(), 0u);
  EXPECT_EQ(copies(), 2u);
  EXPECT_EQ(cudasim_counts().pinned_allocations, before_.pinned_allocations + 1);  // no ring
}

TEST_F(SimulatedBlocks, TheRingIsMadeOnceAndGivenBack) {
  make_memory(1000);
  ASSERT_TRUE(stream_->prepare_blocks().ok());
  const auto prepared = cudasim_counts();
  EXPECT_EQ(prepared.modules, before_.modules + 1);
  EXPECT_EQ(prepared.pinned_allocations, before_.pinned_allocations + 2);
  for (int round = 0; round < 50; ++round) ASSERT_TRUE(stream_->copy_blocks(reversed(1000)).ok());
  const auto used = cudasim_counts();
  EXPECT_EQ(used.modules, prepared.modules);
  EXPECT_EQ(used.pinned_allocations, prepared.pinned_allocations);
  EXPECT_EQ(used.events, prepared.events);
  device_.reset(), staging_.reset(), stream_.reset(), gpu_.reset();
  const auto after = cudasim_counts();
  EXPECT_EQ(after.modules, before_.modules);
  EXPECT_EQ(after.pinned_allocations, before_.pinned_allocations);
  EXPECT_EQ(after.events, before_.events - 4);  // the marks'
}

// No descriptor is written while a launch may still read it.
TEST_F(SimulatedBlocks, AFullRingWaitsForItsOldestLaunch) {
  constexpr std::size_t kCount = (BlockRing::kSegments + 1) * kSegmentTiles;
  make_memory(kCount);
  std::vector<std::byte> bytes(kCount * kSmallBlock);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i / 32 * 7 + i);
  ASSERT_TRUE(device_->write(0, bytes).ok());
  CudasimHold hold;
  auto copying =
      std::async(std::launch::async, [&] { return stream_->copy_blocks(reversed(kCount)); });
  ASSERT_TRUE(eventually([&] { return launches() == BlockRing::kSegments; }));
  EXPECT_EQ(copying.wait_for(std::chrono::milliseconds(0)), std::future_status::timeout);
  hold.let_go();
  ASSERT_TRUE(copying.get().ok());
  ASSERT_TRUE(stream_->synchronize().ok());
  EXPECT_EQ(launches(), BlockRing::kSegments + 1);
  for (std::size_t i = 0; i < kCount; ++i)
    ASSERT_TRUE(std::equal(staging_->range().at(i * kSmallBlock),
                           staging_->range().at(i * kSmallBlock) + kSmallBlock,
                           bytes.begin() + static_cast<std::ptrdiff_t>((kCount - 1 - i) * 32)))
        << i;
}

// What a real GPU says about memory that it cannot reach; and then about everything.
TEST_F(SimulatedBlocks, MemoryThatIsNeitherPinnedNorTheGpusIsAFault) {
  make_memory(10);
  std::vector<std::byte> pageable(10 * kSmallBlock);
  auto blocks = reversed(10);
  blocks[7].destination = pageable.data();
  ASSERT_TRUE(stream_->copy_blocks(blocks).ok());
  const auto status = stream_->synchronize();
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message(), testing::HasSubstr("CUDA_ERROR_ILLEGAL_ADDRESS"));
  EXPECT_FALSE(stream_->copy_blocks(blocks).ok());
  EXPECT_FALSE(gpu_->allocate(100).ok());
  // The context goes with the last who holds it, and the next one starts anew.
  device_.reset(), staging_.reset(), stream_.reset(), gpu_.reset();
  gpu_ = *Gpu::open(*load_cudasim(), 1);
  const auto memory = gpu_->allocate(100);
  ASSERT_TRUE(memory.ok());
  EXPECT_TRUE(gpu_->free(*memory).ok());
}

}  // namespace
}  // namespace hawser
