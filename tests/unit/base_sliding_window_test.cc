#include <gtest/gtest.h>

#include "channel/chunks.h"
#include "base/sliding_window.h"

namespace hawser {
namespace {

TEST(SlidingWindow, PassesEntriesInOrderAndKnowsItsBounds) {
  SlidingWindow<int> window(3);
  EXPECT_TRUE(window.empty());
  for (int value = 0; value < 3; ++value) window.push() = value;
  EXPECT_TRUE(window.full());
  for (int value = 3; value < 100; ++value) {
    EXPECT_EQ(window.oldest(), value - 3);
    window.pop();
    EXPECT_EQ(window.size(), 2u);
    window.push() = value;
  }
  EXPECT_EQ(window.begin(), 97u);
  EXPECT_EQ(window.end(), 100u);
  EXPECT_EQ(window.at(98), 98);
}

std::vector<std::size_t> sizes(Chunks chunks) {
  std::vector<std::size_t> found;
  std::size_t offset = 0;
  while (!chunks.empty()) {
    const Chunk chunk = chunks.next();
    EXPECT_EQ(chunk.offset, offset);
    offset += chunk.bytes;
    found.push_back(chunk.bytes);
  }
  return found;
}

TEST(Chunks, CutWithAShortLastOne) {
  EXPECT_EQ(sizes(Chunks(10, 4)), (std::vector<std::size_t>{4, 4, 2}));
  EXPECT_EQ(sizes(Chunks(8, 4)), (std::vector<std::size_t>{4, 4}));
  EXPECT_EQ(sizes(Chunks(3, 4)), (std::vector<std::size_t>{3}));
}

std::vector<std::size_t> offsets(Chunks chunks) {
  std::vector<std::size_t> out;
  while (!chunks.empty()) out.push_back(chunks.next().offset);
  return out;
}

TEST(Chunks, MessagesOfARunGoRoundTheirSlots) {
  const Chunks chunks(MessageRun{6, 5, 2}, 4);
  EXPECT_EQ(offsets(chunks), (std::vector<std::size_t>{0, 4, 6, 10, 0, 4, 6, 10, 0, 4}));
  EXPECT_EQ(chunks.disjoint(), 4u);
  EXPECT_EQ(Chunks(MessageRun{6, 5, 3}, 8).disjoint(), 3u);
}

TEST(Chunks, NothingIsOneEmptyChunk) {
  EXPECT_EQ(sizes(Chunks(0, 4)), (std::vector<std::size_t>{0}));
}

TEST(Chunks, DefaultIsNoChunks) {
  EXPECT_TRUE(Chunks().empty());
}

}  // namespace
}  // namespace hawser
