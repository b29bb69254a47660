// Which channel takes what.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "engine/channels/load.h"
#include "support/seed.h"

namespace hawser::engine {
namespace {

constexpr std::uint64_t kLoadChunk = 1 << 20;

LinkLoad load_of(const std::vector<ChannelLoad>& channels) {
  LinkLoad load;
  for (const ChannelLoad& channel : channels) load.add(channel);
  return load;
}

// What each has taken when all of it is gone; nothing is acknowledged meanwhile.
std::vector<std::uint64_t> shares(std::vector<ChannelLoad> channels, std::uint64_t unsent) {
  std::vector<std::uint64_t> taken(channels.size());
  while (unsent > 0) {
    const std::uint64_t before = unsent;
    for (std::size_t i = 0; i < channels.size() && unsent > 0; ++i) {
      if (!load_of(channels).may_take(channels[i], unsent, kLoadChunk)) continue;
      const std::uint64_t bytes = std::min(unsent, kLoadChunk);
      channels[i].outstanding += bytes;
      taken[i] += bytes;
      unsent -= bytes;
    }
    if (unsent == before) {
      ADD_FAILURE() << "nobody may take the last " << unsent << " bytes";
      break;
    }
  }
  return taken;
}

TEST(EngineLoad, FinishIsWhenAllIsThrough) {
  const LinkLoad load = load_of({{100.0, 50}, {300.0, 0}});
  EXPECT_DOUBLE_EQ(load.finish({100.0, 50}, 50), 1.0);
  EXPECT_DOUBLE_EQ(load.finish({300.0, 0}, 150), 0.5);
  // Not measured: as the others on average.
  EXPECT_DOUBLE_EQ(load.finish({0, 0}, 200), 1.0);
}

TEST(EngineLoad, SharesFollowTheRates) {
  const auto taken = shares({{2e9, 0}, {2e9, 0}, {2e9, 0}, {5e8, 0}}, 130 * kLoadChunk);
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(static_cast<double>(taken[i]) / kLoadChunk, 40, 1.5) << i;
  EXPECT_NEAR(static_cast<double>(taken[3]) / kLoadChunk, 10, 1.5);
}

TEST(EngineLoad, NobodyMeasuredMeansAlike) {
  for (const std::uint64_t bytes : shares({{0, 0}, {0, 0}, {0, 0}}, 30 * kLoadChunk))
    EXPECT_NEAR(static_cast<double>(bytes) / kLoadChunk, 10, 1.5);
}

TEST(EngineLoad, WhoIsBehindTakesLess) {
  const auto taken = shares({{1e9, 20 * kLoadChunk}, {1e9, 0}}, 40 * kLoadChunk);
  EXPECT_NEAR(static_cast<double>(taken[0]) / kLoadChunk, 10, 1.5);
  EXPECT_NEAR(static_cast<double>(taken[1]) / kLoadChunk, 30, 1.5);
}

// Or nobody would ever send it.
TEST(EngineLoad, TheFastestTakesWhatIdleChannelsLeave) {
  std::mt19937_64 random(test::seed_of_this_run());
  for (int round = 0; round < 1000; ++round) {
    std::vector<ChannelLoad> channels(1 + random() % 6);
    for (ChannelLoad& channel : channels)
      channel.rate = static_cast<double>(1 + random() % 1000000);
    const auto fastest = std::ranges::max_element(channels, {}, &ChannelLoad::rate);
    EXPECT_TRUE(load_of(channels).may_take(*fastest, 1 + random() % 1000000, kLoadChunk));
  }
}

// A slow channel keeps off the end of a transfer, which it would hold up.
TEST(EngineLoad, TheLastChunkIsNotForTheSlow) {
  const LinkLoad load = load_of({{1e9, 0}, {1e7, 0}});
  EXPECT_TRUE(load.may_take({1e9, 0}, kLoadChunk, kLoadChunk));
  EXPECT_FALSE(load.may_take({1e7, 0}, kLoadChunk, kLoadChunk));
}

}  // namespace
}  // namespace hawser::engine
