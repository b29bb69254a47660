// The peer is killed, stopped, or cut off altogether.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <random>
#include <sstream>
#include <vector>

#include "fault/engine_cuts.h"
#include "support/ports.h"
#include "support/seed.h"

namespace hawser::test {
namespace {

constexpr Milliseconds kGonePatience{30'000};
constexpr int kNoticeSlack = 8000;  // ms; of a machine that has other things to do, too
constexpr Milliseconds kNoticedAtOnce{3000};
constexpr int kKills = 15;

// ---- on loopback ----

class EnginePeer : public testing::Test {
 protected:
  static FaultSetup on_loopback(int port) {
    FaultSetup setup;
    setup.address = "127.0.0.1";
    setup.port = port;
    setup.devices = "lo";
    setup.channels_per_device = 2;
    return setup;
  }

  // The local port of one of the process's connections that carry data, of `ss`'s list.
  std::string pick_port(const std::string& list, pid_t pid, int but_not) {
    std::vector<std::string> found;
    std::istringstream lines(list);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string queued, unsent, here;
      words >> queued >> unsent >> here;
      const std::string port = here.substr(here.rfind(':') + 1);
      if (line.find(fmt::format("pid={},", pid)) != std::string::npos &&
          port != std::to_string(but_not))
        found.push_back(port);
    }
    return found.empty() ? "" : found[random_() % found.size()];
  }

  PortRange ports_;
  std::mt19937_64 random_{seed_of_this_run()};
};

// Each time the same engine connects to a new process at the same port.
TEST_F(EnginePeer, KilledAtAnyMomentIsNoticedAtOnceAndMayComeBack) {
  const FaultSetup setup = on_loopback(ports_.base());
  auto engine = Engine::create(setup.engine());
  ASSERT_TRUE(engine.ok()) << engine.error().message();
  Milliseconds longest{0};
  const int kills = rounds_of_test(kKills);
  for (int i = 0; i < kills; ++i) {
    FaultPeer peer(setup);
    peer.wait_ready();
    const Result<Link> link = (*engine)->connect(setup.address, setup.port, setup.link());
    ASSERT_TRUE(link.ok()) << "round " << i << ": " << link.error().message();
    EngineTraffic traffic(**engine, *link);
    ASSERT_TRUE(traffic.wait_steps(random_() % 40, kGonePatience)) << traffic.failure()->message();
    peer.process().send_signal(SIGKILL);
    const Deadline noticed = Deadline::after(kNoticedAtOnce);
    const auto failure = traffic.wait_failure(kNoticedAtOnce);
    ASSERT_TRUE(failure) << "round " << i << "\n" << describe(link->report());
    longest = std::max(longest, noticed.timeout() - noticed.remaining());
    EXPECT_EQ(failure->code(), Code::peer) << failure->message();
    EXPECT_FALSE(link->up());
  }
  std::cout << fmt::format("{} kills, noticed within {} ms\n", kills, longest.count());
}

TEST_F(EnginePeer, StoppedForTwoSecondsLosesNothing) {
  const FaultSetup setup = on_loopback(ports_.base());
  auto engine = Engine::create(setup.engine());
  ASSERT_TRUE(engine.ok()) << engine.error().message();
  FaultPeer peer(setup);
  peer.wait_ready();
  const Result<Link> link = (*engine)->connect(setup.address, setup.port, setup.link());
  ASSERT_TRUE(link.ok()) << link.error().message();
  EngineTraffic traffic(**engine, *link);
  ASSERT_TRUE(traffic.wait_steps(20, kGonePatience));
  peer.process().send_signal(SIGSTOP);
  EXPECT_FALSE(traffic.wait_failure(Milliseconds(2000))) << traffic.failure()->message();
  peer.process().send_signal(SIGCONT);
  EXPECT_TRUE(traffic.wait_steps(100, kGonePatience)) << describe(link->report());
  for (const ChannelReport& channel : link->report().channels)
    EXPECT_EQ(channel.failures, 0U) << channel.last_failure;
}

// Closing in order takes an answer, for which nobody waits long.
TEST_F(EnginePeer, StoppedHoldsUpNoClose) {
  const FaultSetup setup = on_loopback(ports_.base());
  auto engine = Engine::create(setup.engine());
  ASSERT_TRUE(engine.ok()) << engine.error().message();
  FaultPeer peer(setup);
  peer.wait_ready();
  const Result<Link> link = (*engine)->connect(setup.address, setup.port, setup.link());
  ASSERT_TRUE(link.ok()) << link.error().message();
  peer.process().send_signal(SIGSTOP);
  const Deadline closing = Deadline::after(kNoticedAtOnce);
  link->close();
  EXPECT_FALSE(closing.expired());
  EXPECT_EQ(link->status().error().code(), Code::cancelled);
  peer.process().send_signal(SIGCONT);
}

// Its socket is killed in the midst of frames and chunks: what had come of them counts for nothing.
TEST_F(EnginePeer, AKilledSocketOfTwoCostsNoByte) {
  if (geteuid() != 0) GTEST_SKIP() << "killing sockets needs root";
  const FaultSetup setup = on_loopback(ports_.base());
  auto engine = Engine::create(setup.engine());
  ASSERT_TRUE(engine.ok()) << engine.error().message();
  FaultPeer peer(setup);
  peer.wait_ready();
  const Result<Link> link = (*engine)->connect(setup.address, setup.port, setup.link());
  ASSERT_TRUE(link.ok()) << link.error().message();
  EngineTraffic traffic(**engine, *link);
  const auto failures = [&] {
    std::uint64_t sum = 0;
    for (const ChannelReport& channel : link->report().channels) sum += channel.failures;
    return sum;
  };
  for (int i = 0; i < rounds_of_test(10); ++i) {
    ASSERT_TRUE(wait_until(kGonePatience, [&] { return channels_up(link->report()) == 2; }));
    ASSERT_TRUE(traffic.wait_steps(5 + random_() % 20, kGonePatience));
    const std::uint64_t before = failures();
    // One of the peer's data connections: neither its port nor its control connection.
    const Outcome sockets =
        run({.args = {"ss", "-Htnp", "state", "established"}, .env = {}, .cwd = {}, .netns = {}});
    const std::string ours = pick_port(sockets.out, peer.process().pid(), setup.port);
    ASSERT_NE(ours, "") << sockets.out;
    EXPECT_EQ(run({.args = {"ss", "-K", "-tn", "sport", "=", ":" + ours},
                   .env = {},
                   .cwd = {},
                   .netns = {}})
                  .exit_code,
              0);
    ASSERT_TRUE(wait_until(kGonePatience, [&] { return failures() > before; }));
    ASSERT_TRUE(traffic.wait_steps(50, kGonePatience))
        << (traffic.failure() ? traffic.failure()->message() : "") << describe(link->report());
  }
  std::cout << describe(link->report());
}

// ---- over several NICs ----

class EngineCutOff : public EngineNics {
 protected:
  void cut_all(Cut how) {
    for (int nic = 0; nic < kNics; ++nic) cut(how, nic);
  }
  void restore_all(Cut how) {
    for (int nic = 0; nic < kNics; ++nic) restore(how, nic);
  }
  // What is pending fails with a reason within the bound and a little.
  void expect_noticed(const Link& link, EngineTraffic& traffic) {
    const Deadline start = Deadline::after(kGonePatience);
    const auto failure = traffic.wait_failure(kGonePatience);
    ASSERT_TRUE(failure) << describe(link.report());
    const Milliseconds took = start.timeout() - start.remaining();
    EXPECT_EQ(failure->code(), Code::peer);
    EXPECT_THAT(failure->message(), testing::HasSubstr(setup_.address));
    EXPECT_LT(took.count(), setup_.peer_silence_ms + kNoticeSlack);
    EXPECT_EQ(link.status().error().message(), failure->message());
    std::cout << fmt::format("noticed after {} ms: {}\n", took.count(), failure->message());
  }
  void expect_traffic(const Link& link) {
    EngineTraffic traffic(*engine_, link);
    EXPECT_TRUE(traffic.wait_steps(50, kGonePatience)) << describe(link.report());
  }
};

// Its machine is gone without a word.
TEST_F(EngineCutOff, OnEveryNicItIsGoneAndComesBack) {
  start(setup());
  for (const Cut how : {Cut::both_ways, Cut::down_there, Cut::down_here}) {
    SCOPED_TRACE(name_of(how));
    const Result<Link> link = connect();
    ASSERT_TRUE(link.ok()) << link.error().message();
    {
      EngineTraffic traffic(*engine_, *link);
      ASSERT_TRUE(traffic.wait_steps(20, kGonePatience));
      cut_all(how);
      expect_noticed(*link, traffic);
    }
    restore_all(how);
    if (how == Cut::down_there) {
      peer_.reset();
      peer_ = std::make_unique<FaultPeer>(setup_);
      peer_->wait_ready();
    }
    const Result<Link> again = connect();
    ASSERT_TRUE(again.ok()) << again.error().message();
    expect_traffic(*again);
    again->close(1000);
  }
}

// Nothing is under way that would stall.
TEST_F(EngineCutOff, AnIdleLinkNoticesToo) {
  start(setup());
  const Result<Link> link = connect();
  ASSERT_TRUE(link.ok()) << link.error().message();
  cut_all(Cut::both_ways);
  const Deadline start = Deadline::after(kGonePatience);
  EXPECT_TRUE(wait_until(kGonePatience, [&] { return !link->up(); }));
  EXPECT_LT((start.timeout() - start.remaining()).count(), setup_.peer_silence_ms + kNoticeSlack);
}

// The control connection's NIC first, for good: the link lives, and is idle, and works.
TEST_F(EngineCutOff, WithoutItsControlConnectionALinkGoesOn) {
  start(setup());
  const Result<Link> link = connect();
  ASSERT_TRUE(link.ok()) << link.error().message();
  cut(Cut::down_there, 0);
  EXPECT_FALSE(wait_until(Milliseconds(3 * setup_.peer_silence_ms), [&] { return !link->up(); }));
  {
    EngineTraffic traffic(*engine_, *link);
    ASSERT_TRUE(traffic.wait_steps(50, kGonePatience)) << describe(link->report());
    peer_->process().send_signal(SIGSTOP);
    EXPECT_FALSE(traffic.wait_failure(Milliseconds(2000))) << traffic.failure()->message();
    peer_->process().send_signal(SIGCONT);
    ASSERT_TRUE(traffic.wait_steps(50, kGonePatience)) << describe(link->report());
    cut(Cut::both_ways, 1);
    ASSERT_TRUE(traffic.wait_steps(200, kGonePatience)) << describe(link->report());
    for (int nic = 2; nic < kNics; ++nic) cut(Cut::both_ways, nic);
    expect_noticed(*link, traffic);
  }
}

// Two channels of each NIC, all NICs but one cut at once.
TEST_F(EngineCutOff, OneOfFourNicsIsEnough) {
  FaultSetup two = setup();
  two.channels_per_device = 2;
  start(two);
  const Result<Link> link = connect();
  ASSERT_TRUE(link.ok()) << link.error().message();
  EngineTraffic traffic(*engine_, *link);
  for (const int left : {0, 3}) {
    SCOPED_TRACE(left);
    ASSERT_TRUE(wait_all_up(*link, kGonePatience)) << describe(link->report());
    ASSERT_TRUE(traffic.wait_steps(20, kGonePatience));
    traffic.longest_gap();
    for (int nic = 0; nic < kNics; ++nic)
      if (nic != left) cut(Cut::both_ways, nic);
    EXPECT_TRUE(traffic.wait_steps(300, kGonePatience)) << describe(link->report());
    const Milliseconds gap = traffic.longest_gap();
    EXPECT_LT(gap.count(), 5000);
    std::cout << fmt::format("longest time without progress: {} ms\n", gap.count());
    for (int nic = 0; nic < kNics; ++nic)
      if (nic != left) restore(Cut::both_ways, nic);
  }
  EXPECT_TRUE(wait_all_up(*link, kGonePatience)) << describe(link->report());
}

// ---- which NIC carries what ----

// Each connection's addresses, "10.77.1.1 to 10.77.1.2".
std::vector<std::string> established_in(const std::string& netns, int but_not_port) {
  const Outcome ss =
      run({.args = {"ss", "-Htn", "state", "established"}, .env = {}, .cwd = {}, .netns = netns});
  std::vector<std::string> found;
  std::istringstream lines(ss.out);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string queued, unsent, here, there;
    words >> queued >> unsent >> here >> there;
    const std::string control = ":" + std::to_string(but_not_port);
    if (here.ends_with(control) || there.ends_with(control)) continue;
    // Without the port, and the interface that a connecting socket is bound to.
    found.push_back(here.substr(0, here.find_first_of("%:")) + " to " +
                    there.substr(0, there.find_first_of("%:")));
  }
  std::ranges::sort(found);
  return found;
}

TEST_F(EngineCutOff, EachChannelUsesItsOwnNicAtBothEnds) {
  start(setup());
  const Result<Link> link = connect();
  ASSERT_TRUE(link.ok()) << link.error().message();
  std::vector<std::string> here, there;
  for (int nic = 0; nic < kNics; ++nic)
    for (int way = 0; way < 2; ++way) {
      const std::string a = NamespacePair::address_a(nic), b = NamespacePair::address_b(nic);
      here.push_back(a + " to " + b);
      there.push_back(b + " to " + a);
    }
  EXPECT_EQ(established_in(namespaces_->a(), setup_.port), here);
  EXPECT_EQ(established_in(namespaces_->b(), setup_.port), there);
  const LinkReport report = link->report();
  for (int nic = 0; nic < kNics; ++nic) {
    const ChannelReport& channel = report.channels[static_cast<std::size_t>(nic)];
    EXPECT_EQ(channel.device, NamespacePair::link_name(nic));
    EXPECT_EQ(channel.peer_device, NamespacePair::link_name(nic));
  }
}

}  // namespace
}  // namespace hawser::test
