// Transfers of thousands of blocks, and many transfers at a time.
#include <algorithm>
#include <random>

#include "engine/fixture.h"

namespace hawser::test {
namespace {

using TransferBatches = EngineTest;

constexpr std::size_t kBlocks = 3000;

// Blocks of odd lengths whose places on both sides are shuffled, one far from the other. `stride`:
// each lies in a space of its own of so many bytes.
std::vector<Block> scattered(std::size_t count, std::size_t stride) {
  std::mt19937_64 random(count);
  std::vector<std::size_t> places(count);
  for (std::size_t i = 0; i < count; ++i) places[i] = i;
  std::shuffle(places.begin(), places.end(), random);
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < count; ++i)
    blocks.push_back({i * stride + random() % 3, places[i] * stride + random() % 5,
                      random() % 7 == 0 ? 0 : random() % (stride - 5)});
  return blocks;
}

// What the destination must be when the blocks have been applied.
std::vector<std::byte> applied(const Memory& from, const std::vector<Block>& blocks,
                               std::size_t bytes, bool read) {
  std::vector<std::byte> out(bytes, GuardedBuffer::kGuard);
  const std::vector<std::byte> in = from.get(0, from.bytes());
  for (const Block& block : blocks)
    std::copy_n(
        in.begin() + static_cast<std::ptrdiff_t>(read ? block.remote_offset : block.local_offset),
        block.bytes,
        out.begin() + static_cast<std::ptrdiff_t>(read ? block.local_offset : block.remote_offset));
  return out;
}

TEST_P(TransferBatches, WriteOfScatteredBlocks) {
  for (const std::size_t stride : {32, 700}) {
    const std::vector<Block> blocks = scattered(kBlocks, stride);
    const auto from = near_piece(kBlocks * stride);
    const auto to = far_piece(kBlocks * stride);
    from->memory.fill(stride);
    ASSERT_OK(outcome(near().write(from->region, to->remote, blocks)));
    EXPECT_TRUE(to->memory.get(0, to->memory.bytes()) ==
                applied(from->memory, blocks, to->memory.bytes(), false));
  }
}

TEST_P(TransferBatches, ReadOfScatteredBlocks) {
  for (const std::size_t stride : {32, 700}) {
    const std::vector<Block> blocks = scattered(kBlocks, stride);
    const auto to = near_piece(kBlocks * stride);
    const auto from = far_piece(kBlocks * stride);
    from->memory.fill(stride);
    ASSERT_OK(outcome(near().read(to->region, from->remote, blocks)));
    EXPECT_TRUE(to->memory.get(0, to->memory.bytes()) ==
                applied(from->memory, blocks, to->memory.bytes(), true));
  }
}

TEST_P(TransferBatches, BlocksLargerThanChunksAmongSmallOnes) {
  const std::size_t large = variant().chunk() + 17;
  const auto from = near_piece(4 * large + 4000);
  const auto to = far_piece(4 * large + 4000);
  from->memory.fill(5);
  std::vector<Block> blocks;
  std::size_t at = 0;
  for (const std::size_t bytes : {std::size_t{9}, large, std::size_t{0}, std::size_t{999}, large}) {
    blocks.push_back({at, to->memory.bytes() - at - bytes, bytes});
    at += bytes + 13;
  }
  ASSERT_OK(outcome(near().write(from->region, to->remote, blocks)));
  EXPECT_TRUE(to->memory.get(0, to->memory.bytes()) ==
              applied(from->memory, blocks, to->memory.bytes(), false));
}

// Messages, reads and writes of both sides at once, all of which must come right.
TEST_P(TransferBatches, AllKindsInBothDirectionsAtOnce) {
  constexpr std::size_t kCount = 40;
  constexpr std::size_t kKinds = 6;
  const std::size_t bytes = variant().chunk() / 2 + 77;
  const auto here = near_piece(kKinds * kCount * bytes);
  const auto there = far_piece(kKinds * kCount * bytes);
  std::vector<Transfer> transfers;
  struct Check {
    Memory* memory;
    std::size_t seed, at;
  };
  std::vector<Check> checks;
  std::size_t at = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    for (std::size_t kind = 0; kind < kKinds; ++kind, at += bytes) {
      const bool outwards = kind % 2 == 0;
      const std::uint64_t seed = at + kind;
      (outwards ? here : there)->memory.fill(seed, at, bytes);
      const Link& from = outwards ? near() : far();
      const Link& to = outwards ? far() : near();
      const Piece& source = outwards ? *here : *there;
      Piece& sink = outwards ? *there : *here;
      if (kind < 2)
        transfers.push_back(from.write(source.region.span(at, bytes), sink.remote.at(at)));
      if (kind == 2 || kind == 3)
        transfers.push_back(to.read(sink.region.span(at, bytes), source.remote.at(at)));
      if (kind > 3) {
        transfers.push_back(from.send(3, source.region.span(at, bytes)));
        transfers.push_back(to.recv(3, sink.region.span(at, bytes)));
      }
      checks.push_back({&sink.memory, seed, at});
    }
  }
  for (const Transfer& transfer : transfers) ASSERT_OK(outcome(transfer));
  for (const Check& check : checks) {
    ASSERT_EQ(check.memory->mismatch(check.seed, check.at, bytes), "") << check.at;
  }
}

HAWSER_ENGINE_SUITE(TransferBatches);

}  // namespace
}  // namespace hawser::test
