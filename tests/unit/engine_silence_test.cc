// When a channel's silence is its own, and when it is the peer's.
#include <gtest/gtest.h>

#include "engine/channels/silence.h"

namespace hawser::engine {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSilenceBound{400};

TimePoint silence_at(int ms) {
  return TimePoint{} + std::chrono::hours(1) + milliseconds(ms);
}

// Looks every 10 ms from `from` to `to`; the sign of that moment is `heard(ms)`. When it was
// conclusive, or -1.
template <class Heard>
int look_through(Silence& silence, int from, int to, Heard&& heard) {
  for (int ms = from; ms <= to; ms += 10)
    if (silence.conclusive(silence_at(ms), silence_at(0), silence_at(heard(ms)), kSilenceBound))
      return ms;
  return -1;
}

TEST(EngineSilence, IsTheChannelsWhereThePeerIsHeardAllTheTime) {
  Silence silence;
  EXPECT_EQ(look_through(silence, 10, 1000, [](int ms) { return ms; }), 400);
}

// As where it is asked for a sign from half of the bound on.
TEST(EngineSilence, IsTheChannelsWhereThePeerAnswersWhenAsked) {
  Silence silence;
  EXPECT_EQ(look_through(silence, 200, 1000, [](int ms) { return ms - ms % 100; }), 400);
}

TEST(EngineSilence, IsThePeersWhereItIsHeardNowhere) {
  Silence silence;
  EXPECT_EQ(look_through(silence, 10, 10'000, [](int) { return -5; }), -1);
}

// It was heard once more when the channel was silent already, and then nowhere for two seconds.
TEST(EngineSilence, APeerThatWasStoppedGetsTimeToAnswerOnEachChannel) {
  Silence silence;
  EXPECT_EQ(look_through(silence, 10, 3000, [](int ms) { return ms < 2000 ? 5 : ms; }), 2100);
}

TEST(EngineSilence, OneSignIsNotEnough) {
  Silence silence;
  EXPECT_EQ(look_through(silence, 10, 10'000, [](int ms) { return ms < 300 ? -5 : 300; }), -1);
}

TEST(EngineSilence, BeginsAnewWhenTheChannelIsHeard) {
  Silence silence;
  EXPECT_EQ(look_through(silence, 10, 390, [](int ms) { return ms; }), -1);
  silence.broken();
  EXPECT_FALSE(
      silence.conclusive(silence_at(800), silence_at(400), silence_at(800), kSilenceBound));
}

}  // namespace
}  // namespace hawser::engine
