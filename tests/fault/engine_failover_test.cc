// One of several NICs fails in the midst of traffic: every byte is right all the same, and the link
// goes on over the others.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <random>
#include <vector>

#include "fault/engine_cuts.h"
#include "support/seed.h"

namespace hawser::test {
namespace {

// Within a second by design; the bound is for a machine that others use, too.
constexpr Milliseconds kFailoverBound{5000};
constexpr Milliseconds kFailoverPatience{30'000};
constexpr int kFailoverRounds = 12;

class EngineFailover : public EngineNics {
 protected:
  // A cut at a random moment, and its end.
  void round(const Link& link, EngineTraffic& traffic, Cut how, int nic) {
    ASSERT_TRUE(wait_all_up(link, kFailoverPatience)) << describe(link.report());
    ASSERT_TRUE(traffic.wait_steps(random_() % 20, kFailoverPatience));
    traffic.longest_gap();
    cut(how, nic);
    ASSERT_TRUE(traffic.wait_steps(100, kFailoverPatience)) << text_of(link, traffic);
    if (how != Cut::reset) {
      ASSERT_TRUE(wait_until(kFailoverPatience, [&] {
        return channels_up(link.report()) == link.report().channels.size() - 1;
      })) << describe(link.report());
    }
    ASSERT_TRUE(traffic.wait_steps(50, kFailoverPatience)) << text_of(link, traffic);
    restore(how, nic);
    const Deadline back = Deadline::after(kFailoverPatience);
    ASSERT_TRUE(wait_all_up(link, kFailoverPatience)) << describe(link.report());
    backs_.push_back(back.timeout() - back.remaining());
    ASSERT_TRUE(traffic.wait_steps(20, kFailoverPatience)) << text_of(link, traffic);
    gaps_.push_back(traffic.longest_gap());
    EXPECT_LT(gaps_.back(), kFailoverBound) << name_of(how) << ", NIC " << nic;
    if (std::getenv("HAWSER_TEST_ROUNDS") != nullptr)
      std::cout << fmt::format("{}, NIC {}: longest gap {} ms, back after {} ms\n", name_of(how),
                               nic, gaps_.back().count(), backs_.back().count());
  }

  static std::string text_of(const Link& link, const EngineTraffic& traffic) {
    const auto failure = traffic.failure();
    return (failure ? failure->message() : "no progress") + "\n" + describe(link.report());
  }

  void report(std::vector<Milliseconds> figures, const char* what) {
    if (figures.empty()) return;
    std::ranges::sort(figures);
    std::cout << fmt::format("{}: median {} ms, 95 % {} ms, most {} ms, of {} rounds\n", what,
                             figures[figures.size() / 2].count(),
                             figures[figures.size() * 95 / 100].count(), figures.back().count(),
                             figures.size());
  }

  std::mt19937_64 random_{seed_of_this_run()};
  std::vector<Milliseconds> gaps_, backs_;
};

// Of NIC 0, too, over which the control connection goes.
TEST_F(EngineFailover, ANicThatFailsCostsNoByteAndLittleTime) {
  start(setup());
  const Result<Link> link = connect();
  ASSERT_TRUE(link.ok()) << link.error().message();
  {
    EngineTraffic traffic(*engine_, *link);
    const int rounds = rounds_of_test(kFailoverRounds);
    for (int i = 0; i < rounds && !HasFatalFailure(); ++i)
      round(*link, traffic, kAllCuts[static_cast<std::size_t>(i) % std::size(kAllCuts)],
            static_cast<int>(random_() % kNics));
  }
  report(gaps_, "longest time without progress");
  report(backs_, "until the channel was back");
  std::cout << describe(link->report());
  link->close(1000);
}

// What the peer holds back behind a lost one has a bound, which a sender must not exceed.
TEST_F(EngineFailover, AFloodOfSmallMessagesSurvivesToo) {
  constexpr int kFlood = 250'000;
  FaultSetup slow_to_notice = setup();
  slow_to_notice.stall_ms = 4000;
  slow_to_notice.peer_silence_ms = 20'000;
  start(slow_to_notice);
  const Result<Link> link = connect();
  ASSERT_TRUE(link.ok()) << link.error().message();
  std::vector<Transfer> flood;
  for (int i = 0; i < kFlood; ++i) {
    flood.push_back(link->notify("nothing"));
    if (i == kFlood / 10) cut(Cut::to_peer, 0);
  }
  for (const Transfer& transfer : flood) {
    const Status status = transfer.result();
    ASSERT_TRUE(status.ok()) << status.error().message() << describe(link->report());
  }
  EXPECT_TRUE(link->up());
  std::cout << describe(link->report());
}

}  // namespace
}  // namespace hawser::test
