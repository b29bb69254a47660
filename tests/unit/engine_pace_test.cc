// How fast a channel is taken to be.
#include <gtest/gtest.h>

#include "engine/lanes/pace.h"

namespace hawser::engine {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kPaceChunk = 512 * 1024;

// Two chunks are on their way at any time; each takes so long for itself.
TimePoint pace_chunks(Pace& pace, TimePoint now, int count, milliseconds each) {
  if (pace.outstanding() == 0) {
    pace.sent(kPaceChunk, now);
    pace.sent(kPaceChunk, now);
  }
  for (int i = 0; i < count; ++i) {
    now += each;
    pace.acknowledged(kPaceChunk, now - 2 * each, now);
    pace.sent(kPaceChunk, now);
  }
  return now;
}

TEST(EnginePace, SettlesAtTheRateOfTheChannel) {
  Pace pace;
  EXPECT_EQ(pace.rate(), 0);
  pace_chunks(pace, TimePoint{} + milliseconds(1), 50, milliseconds(5));
  EXPECT_NEAR(pace.rate(), kPaceChunk / 0.005, kPaceChunk / 0.005 * 0.01);
}

// The first chunk at the new rate tells it; many small samples tell it slowly, for they are noise.
TEST(EnginePace, BelievesASlowSampleAtOnce) {
  Pace pace;
  const TimePoint then = pace_chunks(pace, TimePoint{} + milliseconds(1), 50, milliseconds(5));
  pace_chunks(pace, then, 1, milliseconds(70));
  EXPECT_NEAR(pace.rate(), kPaceChunk / 0.070, kPaceChunk / 0.070 * 0.05);
}

}  // namespace
}  // namespace hawser::engine
