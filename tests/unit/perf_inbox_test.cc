// What the two sides of a measurement hear from each other, and how their threads work together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "perf/crew.h"
#include "perf/inbox.h"
#include "perf/watch.h"

namespace hawser {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

Deadline soon() {
  return Deadline::after(10'000ms);
}

TEST(PerfInbox, GivesOutWhatCameInItsOrder) {
  Inbox inbox;
  inbox.on_message(wire::Barrier{1});
  inbox.on_message(wire::PerfHost{"here"});
  EXPECT_EQ(inbox.wait<wire::Barrier>(soon(), "x")->id, 1u);
  EXPECT_EQ(inbox.wait<wire::PerfHost>(soon(), "x")->text, "here");
}

TEST(PerfInbox, WaitsForAThreadThatSaysIt) {
  Inbox inbox;
  std::thread peer([&] { inbox.on_message(wire::Barrier{7}); });
  EXPECT_EQ(inbox.wait<wire::Barrier>(soon(), "x")->id, 7u);
  peer.join();
}

TEST(PerfInbox, ATimeoutSaysWhatDidNotCome) {
  Inbox inbox;
  const auto waited = inbox.wait<wire::Barrier>(Deadline::after(5ms), "that it is ready");
  ASSERT_FALSE(waited.ok());
  EXPECT_EQ(waited.error().code(), Code::timeout);
  EXPECT_THAT(waited.error().message(), HasSubstr("that it is ready within 5 ms"));
}

TEST(PerfInbox, AnotherMessageThanTheOneDueIsAnError) {
  Inbox inbox;
  inbox.on_message(wire::Barrier{1});
  const auto waited = inbox.wait<wire::PerfStep>(soon(), "what to do");
  ASSERT_FALSE(waited.ok());
  EXPECT_EQ(waited.error().code(), Code::protocol);
}

TEST(PerfInbox, AFailureOfThePeerIsHeardWhateverIsDue) {
  Inbox inbox;
  EXPECT_FALSE(inbox.broken().has_value());
  inbox.on_message(wire::PerfResult{1, false, 0, 0, "no memory"});
  ASSERT_TRUE(inbox.broken().has_value());
  EXPECT_THAT(inbox.broken()->message(), HasSubstr("no memory"));
  const auto waited = inbox.wait<wire::Barrier>(soon(), "x");
  ASSERT_FALSE(waited.ok());
  EXPECT_THAT(waited.error().message(), HasSubstr("no memory"));
}

TEST(PerfInbox, ALostPeerEndsWaitingAfterWhatItHadSaid) {
  Inbox inbox;
  inbox.on_message(wire::Barrier{1});
  inbox.on_lost(Error(Code::peer, "killed"));
  EXPECT_TRUE(inbox.wait<wire::Barrier>(soon(), "x").ok());
  const auto waited = inbox.wait<wire::Barrier>(soon(), "x");
  ASSERT_FALSE(waited.ok());
  EXPECT_EQ(waited.error().message(), "killed");
  EXPECT_TRUE(inbox.broken().has_value());
}

TEST(PerfInbox, APeerThatTalksOutOfTurnIsLost) {
  Inbox inbox;
  for (std::size_t i = 0; i < 3 * Inbox::kMaxUnread; ++i) inbox.on_message(wire::Barrier{1});
  ASSERT_TRUE(inbox.broken().has_value());
  EXPECT_EQ(inbox.broken()->code(), Code::protocol);
}

TEST(PerfCrew, RunsATaskOnceForEachMemberRoundAfterRound) {
  const auto crew = Crew::make(4);
  ASSERT_TRUE(crew.ok());
  std::atomic<int> sum{0};
  for (int round = 1; round <= 100; ++round) {
    const auto done = (*crew)->run([&](int member) -> Status {
      sum += 1 << (8 * member);
      return {};
    });
    ASSERT_TRUE(done.ok());
    ASSERT_EQ(sum, 0x01010101 * round);
  }
}

TEST(PerfCrew, GivesAnErrorOfOneWhenAllAreBack) {
  const auto crew = Crew::make(3);
  ASSERT_TRUE(crew.ok());
  std::atomic<int> back{0};
  const auto done = (*crew)->run([&](int member) -> Status {
    ++back;
    if (member == 2) return Error(Code::data, "wrong");
    return {};
  });
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().message(), "wrong");
  EXPECT_EQ(back, 3);
  EXPECT_TRUE((*crew)->run([](int) { return Status(); }).ok()) << "the next round is a new one";
}

TEST(PerfCrew, OfOneIsTheCallerItself) {
  const auto crew = Crew::make(1);
  std::thread::id ran;
  ASSERT_TRUE((*crew)
                  ->run([&](int) -> Status {
                    ran = std::this_thread::get_id();
                    return {};
                  })
                  .ok());
  EXPECT_EQ(ran, std::this_thread::get_id());
}

class PerfWatch : public ::testing::TestWithParam<PerfIdle> {};

TEST_P(PerfWatch, EndsAnIdleLoopAtItsBound) {
  const WaitBound bound{Deadline::after(30ms), {}};
  Watch watch(GetParam(), bound, "the stream");
  Status status;
  while (status.ok()) status = watch.after(false);
  EXPECT_EQ(status.error().code(), Code::timeout);
  EXPECT_THAT(status.error().message(), HasSubstr("the stream"));
}

TEST_P(PerfWatch, EndsABusyLoopThatIsInterrupted) {
  const WaitBound bound{Deadline::never(),
                        [] { return std::optional<Error>(Error(Code::peer, "gone")); }};
  Watch watch(GetParam(), bound, "the stream");
  Status status;
  std::uint32_t polls = 0;
  while (status.ok() && polls <= Watch::kPollsPerCheck) {
    status = watch.after(true);
    ++polls;
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message(), "gone");
}

INSTANTIATE_TEST_SUITE_P(Idle, PerfWatch,
                         ::testing::Values(PerfIdle::spin, PerfIdle::yield, PerfIdle::sleep));

}  // namespace
}  // namespace hawser
