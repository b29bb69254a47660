#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <tuple>
#include <vector>

#include "engine/operations/blocks.h"
#include "support/seed.h"

namespace hawser::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint64_t kBlocksEnd = std::numeric_limits<std::uint64_t>::max();
using BlockPiece = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>;  // local, remote, bytes

BlockList block_list_of(const std::vector<Block>& blocks) {
  auto list = BlockList::create(blocks, kBlocksEnd, kBlocksEnd);
  EXPECT_TRUE(list.ok()) << list.error().message();
  return list.ok() ? *list : BlockList();
}

std::vector<BlockPiece> chunk_pieces(const BlockList& list, const ChunkRef& chunk) {
  std::vector<BlockPiece> out;
  for_each_piece(list, chunk,
                 [&out](std::uint64_t local, std::uint64_t remote, std::uint64_t bytes) {
                   out.emplace_back(local, remote, bytes);
                 });
  return out;
}

std::vector<BlockPiece> list_pieces(const BlockList& list) {
  return chunk_pieces(list, {0, list.total(), {}, list.size()});
}

std::string block_list_error(const Result<BlockList>& list) {
  if (list.ok()) return "";
  EXPECT_EQ(list.error().code(), Code::invalid_argument);
  return list.error().message();
}

std::string block_list_error(const std::vector<Block>& blocks, std::uint64_t local_bytes,
                             std::uint64_t remote_bytes) {
  return block_list_error(BlockList::create(blocks, local_bytes, remote_bytes));
}

TEST(EngineBlocks, OfNothingAreEmpty) {
  for (const auto& blocks :
       {std::vector<Block>{}, std::vector<Block>{{3, 4, 0}, {kBlocksEnd, kBlocksEnd, 0}}}) {
    const auto list = BlockList::create(blocks, 10, 10);
    ASSERT_TRUE(list.ok());
    EXPECT_EQ(list->size(), 0u);
    EXPECT_EQ(list->total(), 0u);
    EXPECT_EQ(list->find(0).block, 0u);
    ChunkCutter cutter(*list);
    EXPECT_TRUE(cutter.empty());
    EXPECT_EQ(cutter.next(100, 100).bytes, 0u);
  }
}

TEST(EngineBlocks, ThatContinueEachOtherOnBothSidesBecomeOne) {
  EXPECT_THAT(list_pieces(block_list_of({{0, 100, 10}, {10, 110, 5}, {7, 7, 0}, {15, 115, 1}})),
              ElementsAre(BlockPiece(0, 100, 16)));
  // On one side only, or the other way round: they do not.
  EXPECT_THAT(list_pieces(block_list_of({{0, 100, 10}, {10, 200, 5}, {30, 205, 5}, {25, 200, 5}})),
              ElementsAre(BlockPiece(0, 100, 10), BlockPiece(10, 200, 5), BlockPiece(30, 205, 5),
                          BlockPiece(25, 200, 5)));
}

TEST(EngineBlocks, OfAMessageHaveItsOwnOffsets) {
  const std::vector<Extent> extents = {{50, 10}, {9, 0}, {60, 5}, {0, 20}, {kBlocksEnd - 1, 1}};
  const auto list = BlockList::create(extents, kBlocksEnd);
  ASSERT_TRUE(list.ok()) << list.error().message();
  EXPECT_EQ(list->total(), 36u);
  EXPECT_THAT(list_pieces(*list), ElementsAre(BlockPiece(50, 0, 15), BlockPiece(0, 15, 20),
                                              BlockPiece(kBlocksEnd - 1, 35, 1)));
}

TEST(EngineBlocks, BeyondARegionAreRefusedByTheirPlace) {
  EXPECT_EQ(block_list_error({{0, 0, 10}, {10, 10, 90}}, 100, 100), "");
  EXPECT_EQ(block_list_error({{0, 0, 10}, {11, 10, 90}}, 100, 100),
            "block 1: 90 bytes at 11 reach beyond the local region of 100 bytes");
  EXPECT_EQ(block_list_error({{0, 0, 10}, {0, 0, 0}, {10, 11, 90}}, 100, 100),
            "block 2: 90 bytes at 11 reach beyond the remote region of 100 bytes");
  EXPECT_THAT(block_list_error({{101, 0, 1}}, 100, 100), HasSubstr("local region"));
  EXPECT_THAT(block_list_error({{0, 0, 1}}, 0, 100), HasSubstr("local region of 0 bytes"));
  const std::vector<Extent> extents = {{0, 10}, {91, 10}};
  EXPECT_EQ(block_list_error(BlockList::create(extents, 100)),
            "extent 1: 10 bytes at 91 reach beyond the local region of 100 bytes");
}

TEST(EngineBlocks, WhoseEndsOverflowAreRefused) {
  for (const std::uint64_t offset : {kBlocksEnd, kBlocksEnd - 1, kBlocksEnd - 9, std::uint64_t{1}})
    for (const std::uint64_t bytes : {kBlocksEnd, kBlocksEnd - 1, kBlocksEnd / 2 + 1}) {
      if (bytes <= kBlocksEnd - offset) continue;
      EXPECT_THAT(block_list_error({{offset, 0, bytes}}, kBlocksEnd, kBlocksEnd),
                  HasSubstr("local region"));
      EXPECT_THAT(block_list_error({{0, offset, bytes}}, kBlocksEnd, kBlocksEnd),
                  HasSubstr("remote region"));
    }
  EXPECT_EQ(block_list_error({{kBlocksEnd - 9, kBlocksEnd - 9, 9}}, kBlocksEnd, kBlocksEnd), "");
}

TEST(EngineBlocks, WhoseSumOverflowsAreRefused) {
  EXPECT_EQ(block_list_of({{0, 0, kBlocksEnd - 1}, {0, 0, 1}}).total(), kBlocksEnd);
  EXPECT_EQ(
      block_list_error({{0, 0, kBlocksEnd - 1}, {0, 0, 1}, {5, 5, 1}}, kBlocksEnd, kBlocksEnd),
      "block 2: with its 1 bytes the sum is more than 64 bits hold");
  const std::vector<Extent> extents = {{0, kBlocksEnd / 2 + 1}, {0, kBlocksEnd / 2 + 1}};
  EXPECT_THAT(block_list_error(BlockList::create(extents, kBlocksEnd)),
              HasSubstr("extent 1: with its"));
}

TEST(EngineBlocks, AreFoundByTheBytesTheyHold) {
  const BlockList list = block_list_of({{0, 0, 10}, {100, 100, 1}, {200, 200, 5}});
  const auto found = [&list](std::uint64_t offset) {
    const auto place = list.find(offset);
    return std::pair(place.block, place.within);
  };
  EXPECT_EQ(found(0), std::pair(std::size_t{0}, std::uint64_t{0}));
  EXPECT_EQ(found(9), std::pair(std::size_t{0}, std::uint64_t{9}));
  EXPECT_EQ(found(10), std::pair(std::size_t{1}, std::uint64_t{0}));
  EXPECT_EQ(found(11), std::pair(std::size_t{2}, std::uint64_t{0}));
  EXPECT_EQ(found(15), std::pair(std::size_t{2}, std::uint64_t{4}));
  EXPECT_EQ(found(16), std::pair(std::size_t{3}, std::uint64_t{0}));
  EXPECT_EQ(found(kBlocksEnd), std::pair(std::size_t{3}, std::uint64_t{0}));
}

TEST(EngineChunks, OfAContiguousBlockAreOfTheirFullSize) {
  const std::uint64_t bytes = (std::uint64_t{5} << 30) + 7;  // beyond 32 bits
  const std::uint64_t chunk_bytes = 512 * 1024;
  const BlockList list = block_list_of({{kBlocksEnd - bytes, 3, bytes}});
  ChunkCutter cutter(list);
  std::uint64_t offset = 0;
  for (; cutter.left() > chunk_bytes; offset += chunk_bytes) {
    const ChunkRef chunk = cutter.next(chunk_bytes, 512);
    ASSERT_THAT(chunk_pieces(list, chunk),
                ElementsAre(BlockPiece(kBlocksEnd - bytes + offset, 3 + offset, chunk_bytes)));
    ASSERT_EQ(chunk.pieces, 1u);
  }
  EXPECT_EQ(offset, std::uint64_t{5} << 30);
  EXPECT_EQ(cutter.left(), 7u);
  EXPECT_THAT(chunk_pieces(list, cutter.next(chunk_bytes, 512)),
              ElementsAre(BlockPiece(kBlocksEnd - 7, 3 + offset, 7)));
  EXPECT_TRUE(cutter.empty());
}

TEST(EngineChunks, EndAtTheLimitThatComesFirst) {
  const BlockList list = block_list_of({{0, 0, 4}, {10, 10, 4}, {20, 20, 4}, {30, 30, 100}});
  ChunkCutter cutter(list);
  EXPECT_THAT(chunk_pieces(list, cutter.next(1000, 2)),
              ElementsAre(BlockPiece(0, 0, 4), BlockPiece(10, 10, 4)));
  EXPECT_THAT(chunk_pieces(list, cutter.next(3, 2)), ElementsAre(BlockPiece(20, 20, 3)));
  EXPECT_THAT(chunk_pieces(list, cutter.next(50, 2)),
              ElementsAre(BlockPiece(23, 23, 1), BlockPiece(30, 30, 49)));
  EXPECT_EQ(cutter.left(), 51u);
  EXPECT_THAT(chunk_pieces(list, cutter.next(kBlocksEnd, 1)), ElementsAre(BlockPiece(79, 79, 51)));
  EXPECT_TRUE(cutter.empty());
}

TEST(EngineChunks, ThatReachBeyondTheListEndWithIt) {
  const BlockList list = block_list_of({{0, 0, 4}, {10, 10, 4}});
  EXPECT_THAT(chunk_pieces(list, {6, 100, list.find(6), 1}), ElementsAre(BlockPiece(12, 12, 2)));
  EXPECT_TRUE(chunk_pieces(list, {8, 1, list.find(8), 1}).empty());
}

TEST(EngineChunks, OfAMillionBlocksAreCutOneByOne) {
  constexpr std::size_t kMillion = 1'000'000;
  std::vector<Block> blocks(kMillion);
  for (std::size_t i = 0; i < kMillion; ++i) blocks[i] = {2 * i * 4096, i * 4096, 4096};
  const BlockList list = block_list_of(blocks);
  EXPECT_EQ(list.size(), kMillion);
  EXPECT_EQ(list.total(), kMillion * 4096);
  ChunkCutter cutter(list);
  std::uint64_t sum = 0;
  std::size_t chunks = 0;
  for (; !cutter.empty(); ++chunks)
    for_each_piece(list, cutter.next(512 * 1024, 512),
                   [&sum](std::uint64_t, std::uint64_t, std::uint64_t bytes) { sum += bytes; });
  EXPECT_EQ(sum, list.total());
  EXPECT_EQ(chunks, (kMillion + 127) / 128);
  EXPECT_EQ(list.find(list.total() - 1).block, kMillion - 1);
}

// Random batches, some of which lie at the end of 64 bits. Not thread-safe.
class RandomBlocks {
 public:
  explicit RandomBlocks(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  std::vector<Block> next() {
    std::vector<Block> blocks(below(40));
    const std::uint64_t base = below(2) == 0 ? 0 : kBlocksEnd - 1'000'000;
    Block last;
    for (Block& block : blocks) {
      block = {base + below(1000), base + below(1000), below(4) == 0 ? 0 : below(2000)};
      if (below(3) == 0) block.local_offset = last.local_offset + last.bytes;
      if (below(3) == 0) block.remote_offset = last.remote_offset + last.bytes;
      last = block;
    }
    return blocks;
  }

 private:
  std::mt19937_64 random_;
};

// Where byte by byte of a batch goes, without any cleverness.
std::vector<std::pair<std::uint64_t, std::uint64_t>> block_bytes_of(
    const std::vector<Block>& blocks) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> out;
  for (const Block& block : blocks)
    for (std::uint64_t i = 0; i < block.bytes; ++i)
      out.emplace_back(block.local_offset + i, block.remote_offset + i);
  return out;
}

void expect_chunks_cover(const BlockList& list,
                         const std::vector<std::pair<std::uint64_t, std::uint64_t>>& bytes,
                         RandomBlocks& random) {
  ChunkCutter cutter(list);
  std::uint64_t offset = 0;
  while (!cutter.empty()) {
    const std::uint64_t max_bytes = 1 + random.below(5000);
    const std::size_t max_pieces = 1 + random.below(5);
    const ChunkRef chunk = cutter.next(max_bytes, max_pieces);
    ASSERT_EQ(chunk.offset, offset);
    ASSERT_TRUE(chunk.bytes > 0 && chunk.bytes <= max_bytes && chunk.pieces <= max_pieces);
    const auto place = list.find(chunk.offset);
    ASSERT_EQ(std::pair(place.block, place.within),
              std::pair(chunk.first.block, chunk.first.within));
    std::size_t pieces = 0;
    for_each_piece(list, chunk, [&](std::uint64_t local, std::uint64_t remote, std::uint64_t n) {
      ++pieces;
      for (std::uint64_t i = 0; i < n; ++i, ++offset)
        ASSERT_EQ(bytes[offset], std::pair(local + i, remote + i));
    });
    ASSERT_EQ(pieces, chunk.pieces);
    ASSERT_EQ(offset, chunk.offset + chunk.bytes);
    const bool at_a_limit = chunk.bytes == max_bytes || chunk.pieces == max_pieces;
    ASSERT_TRUE(at_a_limit || cutter.empty()) << "a chunk is smaller than it need be";
  }
  ASSERT_EQ(offset, bytes.size());
}

TEST(EngineChunks, OfRandomBatchesCoverEachByteOnceInOrder) {
  RandomBlocks random(test::seed_of_this_run());
  for (int i = 0; i < 500 && !testing::Test::HasFatalFailure(); ++i) {
    const auto blocks = random.next();
    const BlockList list = block_list_of(blocks);
    const auto bytes = block_bytes_of(blocks);
    ASSERT_EQ(list.total(), bytes.size());
    for (std::size_t k = 1; k < list.size(); ++k)
      ASSERT_FALSE(list[k - 1].local_offset + list[k - 1].bytes == list[k].local_offset &&
                   list[k - 1].remote_offset + list[k - 1].bytes == list[k].remote_offset);
    expect_chunks_cover(list, bytes, random);
  }
}

// Whether a batch is refused, said with numbers of 128 bits.
bool blocks_must_be_refused(const std::vector<Block>& blocks, std::uint64_t local,
                            std::uint64_t remote) {
  __extension__ using Wide = unsigned __int128;
  Wide sum = 0;
  for (const Block& block : blocks) {
    if (block.bytes == 0) continue;
    sum += block.bytes;
    if (Wide{block.local_offset} + block.bytes > local) return true;
    if (Wide{block.remote_offset} + block.bytes > remote) return true;
  }
  return sum > kBlocksEnd;
}

TEST(EngineBlocks, OfAnySizeAreRefusedExactlyWhereTheyMustBe) {
  RandomBlocks random(test::seed_of_this_run());
  const auto number = [&random] {
    const std::uint64_t near[] = {
        0, 1, kBlocksEnd, kBlocksEnd / 2, kBlocksEnd / 2 + 1, std::uint64_t{1} << 32};
    const std::uint64_t some =
        random.below(4) == 0 ? random.below(kBlocksEnd) : near[random.below(6)];
    return some + random.below(3) - 1;  // may go round
  };
  int refused = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::vector<Block> blocks(1 + random.below(3));
    for (Block& block : blocks) block = {number(), number(), number()};
    const std::uint64_t local = number(), remote = number();
    const bool wrong = blocks_must_be_refused(blocks, local, remote);
    ASSERT_EQ(block_list_error(blocks, local, remote) != "", wrong);
    refused += wrong ? 1 : 0;
  }
  EXPECT_GT(refused, 1000);
  EXPECT_LT(refused, 49'000);
}

}  // namespace
}  // namespace hawser::engine
