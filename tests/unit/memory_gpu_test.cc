// GPU and pinned buffers and the GPU copy queue, over the simulated and the real driver.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "cudasim/drivers.h"
#include "memory/buffer.h"
#include "memory/copy_queue.h"

namespace hawser {
namespace {

std::vector<std::byte> varied_bytes(std::size_t bytes) {
  std::vector<std::byte> made(bytes);
  for (std::size_t i = 0; i < bytes; ++i) made[i] = static_cast<std::byte>(i * 13 + i / 256);
  return made;
}

class GpuBuffer : public GpuTest {};
INSTANTIATE_TEST_SUITE_P(, GpuBuffer, gpu_drivers(), gpu_driver_name);

TEST_P(GpuBuffer, StartsOnAPageAndSaysWhereItIs) {
  for (const std::size_t bytes : {1ul, 4096ul, 70001ul}) {
    const auto buffer = Buffer::cuda(gpu_, bytes);
    ASSERT_TRUE(buffer.ok()) << buffer.error().message();
    EXPECT_EQ(buffer->range().address() % kPageBytes, 0u);
    EXPECT_EQ(buffer->range().bytes, bytes);
    EXPECT_EQ(buffer->range().kind, MemoryKind::cuda);
    EXPECT_EQ(buffer->range().gpu, 0);
    EXPECT_TRUE(is_device_pointer(*driver_, buffer->range().at(bytes - 1)));
  }
}

TEST_P(GpuBuffer, PinnedStartsOnAPageAndIsHostMemory) {
  const auto buffer = Buffer::pinned(gpu_, 5000);
  ASSERT_TRUE(buffer.ok()) << buffer.error().message();
  EXPECT_EQ(buffer->range().address() % kPageBytes, 0u);
  EXPECT_EQ(buffer->range().kind, MemoryKind::host);
  EXPECT_EQ(buffer->range().gpu, -1);
  std::memset(buffer->range().data, 1, 5000);
}

TEST_P(GpuBuffer, ReadsWhatWasWritten) {
  for (auto make : {&Buffer::cuda, &Buffer::pinned}) {
    auto buffer = make(gpu_, 100000);
    const auto bytes = varied_bytes(90001);
    ASSERT_TRUE(buffer->write(4099, bytes).ok());
    std::vector<std::byte> back(bytes.size());
    ASSERT_TRUE(buffer->read(4099, back).ok());
    EXPECT_EQ(back, bytes);
  }
}

TEST_P(GpuBuffer, RefusesWhatIsOutOfBounds) {
  auto buffer = Buffer::cuda(gpu_, 100);
  std::vector<std::byte> bytes(10);
  EXPECT_TRUE(buffer->write(90, bytes).ok());
  EXPECT_EQ(buffer->write(91, bytes).error().code(), Code::invalid_argument);
  EXPECT_EQ(buffer->read(SIZE_MAX, bytes).error().code(), Code::invalid_argument);
  EXPECT_EQ(Buffer::cuda(gpu_, 0).error().code(), Code::invalid_argument);
  EXPECT_EQ(Buffer::pinned(gpu_, SIZE_MAX).error().code(), Code::invalid_argument);
}

TEST_P(GpuBuffer, OutlivesEveryOtherHoldOnItsGpu) {
  auto buffer = Buffer::cuda(gpu_, 4096);
  gpu_.reset();
  const auto bytes = varied_bytes(4096);
  ASSERT_TRUE(buffer->write(0, bytes).ok());
  std::vector<std::byte> back(4096);
  ASSERT_TRUE(buffer->read(0, back).ok());
  EXPECT_EQ(back, bytes);
}

// A window of pinned slots: each goes to the GPU and back, several at a time.
TEST_P(GpuBuffer, CopyQueueKeepsAWindowOfCopiesInFlight) {
  constexpr std::size_t kSlots = 4, kSlotBytes = 64 << 10, kRounds = 64;
  auto slots = Buffer::pinned(gpu_, kSlots * kSlotBytes);
  auto device = Buffer::cuda(gpu_, kRounds * kSlotBytes);
  auto queue = make_gpu_copy_queue(gpu_, kSlots);
  ASSERT_TRUE(queue.ok());
  const auto bytes = varied_bytes(kRounds * kSlotBytes);
  for (std::size_t round = 0; round < kRounds; ++round) {
    if (round >= kSlots) {
      ASSERT_TRUE(eventually([&] { return (*queue)->finished(round - kSlots + 1).value(); }));
    }
    std::byte* const slot = slots->range().at(round % kSlots * kSlotBytes);
    std::memcpy(slot, bytes.data() + round * kSlotBytes, kSlotBytes);
    ASSERT_TRUE((*queue)->copy(device->range().at(round * kSlotBytes), slot, kSlotBytes).ok());
    ASSERT_EQ((*queue)->mark().value(), round + 1);
  }
  ASSERT_TRUE(eventually([&] { return (*queue)->finished(kRounds).value(); }));
  std::vector<std::byte> back(bytes.size());
  ASSERT_TRUE(device->read(0, back).ok());
  EXPECT_EQ(back, bytes);
}

TEST_P(GpuBuffer, CopyQueueCopiesBlocks) {
  constexpr std::size_t kBlock = 1500, kBlocks = 100;
  auto staging = Buffer::pinned(gpu_, kBlocks * kBlock);
  auto device = Buffer::cuda(gpu_, kBlocks * kBlock);
  auto queue = make_gpu_copy_queue(gpu_, 1);
  ASSERT_TRUE((*queue)->prepare_blocks().ok());
  const auto bytes = varied_bytes(kBlocks * kBlock);
  ASSERT_TRUE(staging->write(0, bytes).ok());
  std::vector<BlockCopy> blocks;
  for (std::size_t at = 0; at < bytes.size(); at += kBlock)
    blocks.push_back({device->range().at(at), staging->range().at(at), kBlock});
  ASSERT_TRUE((*queue)->copy_blocks(blocks).ok());
  const auto mark = (*queue)->mark();
  ASSERT_TRUE(eventually([&] { return (*queue)->finished(*mark).value(); }));
  std::vector<std::byte> back(bytes.size());
  ASSERT_TRUE(device->read(0, back).ok());
  EXPECT_EQ(back, bytes);
}

}  // namespace
}  // namespace hawser
