#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "memory/buffer.h"
#include "memory/copy_queue.h"

namespace hawser {
namespace {

std::vector<std::byte> pattern(std::size_t bytes) {
  std::vector<std::byte> made(bytes);
  for (std::size_t i = 0; i < bytes; ++i) made[i] = static_cast<std::byte>(i * 31 + 7);
  return made;
}

TEST(HostBuffer, StartsOnAPageIsZeroedAndHasTheSizeAskedFor) {
  for (const std::size_t bytes : {1ul, 4095ul, 4096ul, 4097ul, 1ul << 20}) {
    const auto buffer = Buffer::host(bytes);
    ASSERT_TRUE(buffer.ok());
    const MemoryRange& range = buffer->range();
    EXPECT_EQ(range.address() % kPageBytes, 0u);
    EXPECT_EQ(range.bytes, bytes);
    EXPECT_EQ(range.kind, MemoryKind::host);
    const auto* memory = static_cast<const unsigned char*>(range.data);
    EXPECT_TRUE(std::all_of(memory, memory + bytes, [](unsigned char c) { return c == 0; }));
  }
}

TEST(HostBuffer, RefusesNothingAndTooMuch) {
  for (const std::size_t bytes : {std::size_t{0}, SIZE_MAX, SIZE_MAX - 4095}) {
    const auto buffer = Buffer::host(bytes);
    ASSERT_FALSE(buffer.ok()) << bytes;
    EXPECT_EQ(buffer.error().code(), Code::invalid_argument);
  }
}

TEST(HostBuffer, ReadsWhatWasWritten) {
  auto buffer = Buffer::host(10000);
  const auto written = pattern(5000);
  ASSERT_TRUE(buffer->write(3001, written).ok());
  std::vector<std::byte> back(5000);
  ASSERT_TRUE(buffer->read(3001, back).ok());
  EXPECT_EQ(back, written);
}

TEST(HostBuffer, RefusesWhatIsOutOfBounds) {
  auto buffer = Buffer::host(100);
  std::vector<std::byte> bytes(10);
  EXPECT_TRUE(buffer->write(90, bytes).ok());
  EXPECT_TRUE(buffer->write(100, {}).ok());
  for (const std::size_t offset : {std::size_t{91}, std::size_t{101}, SIZE_MAX}) {
    const auto read = buffer->read(offset, bytes);
    ASSERT_FALSE(read.ok()) << offset;
    EXPECT_EQ(read.error().code(), Code::invalid_argument);
    EXPECT_FALSE(buffer->write(offset, bytes).ok());
  }
}

TEST(HostBuffer, MovesItsMemory) {
  auto made = Buffer::host(4096);
  void* const data = made->range().data;
  auto assigned = Buffer::host(64);
  *assigned = std::move(*made);
  EXPECT_EQ(assigned->range().data, data);
  const auto written = pattern(4096);
  EXPECT_TRUE(assigned->write(0, written).ok());
}

TEST(MemoryRange, ContainsOnlyWhatLiesInside) {
  std::byte memory[100];
  const MemoryRange range{memory, sizeof memory, MemoryKind::host, -1};
  EXPECT_TRUE(range.contains(range));
  EXPECT_TRUE(range.contains(range.slice(99, 1)));
  EXPECT_FALSE(range.contains(range.slice(99, 2)));
  EXPECT_FALSE(range.contains(range.slice(1, SIZE_MAX)));
  EXPECT_FALSE(range.slice(1, 99).contains(range.slice(0, 1)));
  MemoryRange on_gpu = range;
  on_gpu.kind = MemoryKind::cuda;
  EXPECT_FALSE(range.contains(on_gpu));
}

TEST(HostCopyQueue, CopiesAtOnceAndCountsMarks) {
  const auto queue = make_host_copy_queue();
  const auto source = pattern(1000);
  std::vector<std::byte> destination(1000);
  ASSERT_TRUE(queue->copy(destination.data(), source.data(), source.size()).ok());
  EXPECT_EQ(queue->mark().value(), 1u);
  EXPECT_EQ(queue->mark().value(), 2u);
  EXPECT_TRUE(queue->finished(1).value());
  EXPECT_TRUE(queue->finished(2).value());
  EXPECT_EQ(destination, source);
}

TEST(HostCopyQueue, CopiesBlocksAtOnce) {
  const auto queue = make_host_copy_queue();
  ASSERT_TRUE(queue->prepare_blocks().ok());
  const auto source = pattern(1000);
  std::vector<std::byte> destination(1000);
  const BlockCopy blocks[] = {{destination.data() + 400, source.data() + 400, 600},
                              {nullptr, nullptr, 0},
                              {destination.data(), source.data(), 400}};
  ASSERT_TRUE(queue->copy_blocks(blocks).ok());
  EXPECT_EQ(destination, source);
}

TEST(HostCopyQueue, RefusesAMarkNeverMade) {
  const auto queue = make_host_copy_queue();
  EXPECT_EQ(queue->finished(1).error().code(), Code::invalid_argument);
  EXPECT_EQ(queue->finished(0).error().code(), Code::invalid_argument);
}

}  // namespace
}  // namespace hawser
