// Networks as they are: packets of full size that are lost, a client behind NAT, NICs that reach
// nothing, interfaces that change.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>

#include "fault/engine_cuts.h"

namespace hawser::test {
namespace {

using testing::HasSubstr;

class EngineNetworks : public EngineNics {
 protected:
  // One NIC, and channels that are given up soon.
  FaultSetup one_nic() {
    FaultSetup one = setup();
    one.devices = "hw0";
    one.channels_per_device = 2;
    one.stall_ms = 200;
    return one;
  }
  void both(const std::string& command) {
    for (const std::string& netns : {namespaces_->a(), namespaces_->b()})
      ASSERT_TRUE(namespaces_->shell(netns, command));
  }
  void drop(const std::string& netns, const std::string& what) {
    ASSERT_TRUE(namespaces_->shell(netns,
                                   "nft 'add table inet t; add chain inet t in { type filter "
                                   "hook prerouting priority 0; }; add rule inet t in " +
                                       what + " drop'"));
  }
  // A network that takes less than its ends believe, and says nothing.
  void lose_packets_above(int bytes) {
    both("ip link set hw0 mtu 9000 gso_max_segs 1");
    for (const std::string& netns : {namespaces_->a(), namespaces_->b()})
      drop(netns, "meta length gt " + std::to_string(bytes));
  }
};

TEST_F(EngineNetworks, WhereLargePacketsAreLostSmallOnesCarryTheData) {
  lose_packets_above(1500);
  start(one_nic());
  const auto link = connect();
  ASSERT_TRUE(link.ok()) << link.error().message();
  EngineTraffic traffic(*engine_, *link);
  // Of one of the failures until then; a later one, of another kind, may follow it.
  const auto told = [&] {
    return std::ranges::any_of(link->report().channels, [](const ChannelReport& channel) {
      return channel.last_failure.find("MTU (9000 at hw0)") != std::string::npos &&
             channel.last_failure.find("net.ipv4.tcp_mtu_probing=1") != std::string::npos;
    });
  };
  bool named = false;
  const Deadline deadline = Deadline::after(Milliseconds(60'000));
  while (!(named = named || told()) && !deadline.expired())
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_TRUE(named) << describe(link->report());
  EXPECT_TRUE(traffic.wait_steps(4, Milliseconds(60'000))) << describe(link->report());
}

TEST_F(EngineNetworks, WhereNothingLargePassesTransfersEndAndTheReasonNamesTheMtu) {
  lose_packets_above(1000);
  start(one_nic());
  const auto link = connect();
  ASSERT_TRUE(link.ok()) << link.error().message();
  EngineTraffic traffic(*engine_, *link);
  const auto failure = traffic.wait_failure(Milliseconds(60'000));
  ASSERT_TRUE(failure) << describe(link->report());
  EXPECT_THAT(failure->message(), HasSubstr("MTU"));
  EXPECT_THAT(failure->message(), HasSubstr("of no use"));
  EXPECT_FALSE(link->up());
}

// The server's packets that would begin a connection come nowhere.
TEST_F(EngineNetworks, AClientThatNobodyCanConnectToMakesAllConnections) {
  drop(namespaces_->a(), "tcp flags & (syn | ack) == syn");
  start(one_nic());
  const auto link = connect();
  ASSERT_TRUE(link.ok()) << link.error().message();
  EngineTraffic traffic(*engine_, *link);
  EXPECT_TRUE(traffic.wait_steps(20, Milliseconds(60'000))) << describe(link->report());
}

// hw1 of the one side is not there on the other, where another hw1 has the same address.
TEST_F(EngineNetworks, NicsThatReachNothingAreLeftOut) {
  for (const std::string& netns : {namespaces_->a(), namespaces_->b()}) {
    const std::string device = "dev hw1";
    ASSERT_TRUE(namespaces_->configure(netns, "addr flush " + device));
    ASSERT_TRUE(namespaces_->configure(netns, "addr add 172.17.0.1/16 " + device));
  }
  // And hw2's network is another one on each side.
  ASSERT_TRUE(namespaces_->configure(namespaces_->b(), "addr flush dev hw2"));
  ASSERT_TRUE(namespaces_->configure(namespaces_->b(), "addr add 10.99.0.1/24 dev hw2"));
  FaultSetup some = setup();
  some.devices = "hw1,hw2,hw0";
  start(some);
  const auto link = connect();
  ASSERT_TRUE(link.ok()) << link.error().message();
  for (const ChannelReport& channel : link->report().channels) {
    EXPECT_EQ(channel.device, "hw0");
    EXPECT_EQ(channel.peer_device, "hw0");
  }
  EXPECT_EQ(channels_up(link->report()), link->report().channels.size())
      << describe(link->report());
}

TEST_F(EngineNetworks, TheAddressThatIsReachedIsTaken) {
  for (const auto& [netns, host] :
       {std::pair(namespaces_->a(), "1"), std::pair(namespaces_->b(), "2")}) {
    ASSERT_TRUE(namespaces_->configure(netns, "addr flush dev hw1"));
    ASSERT_TRUE(
        namespaces_->configure(netns, std::string("addr add 10.9") + host + ".0.1/24 dev hw1"));
    ASSERT_TRUE(
        namespaces_->configure(netns, std::string("addr add 10.77.1.") + host + "/24 dev hw1"));
  }
  FaultSetup some = setup();
  some.devices = "hw1";
  start(some);
  const auto link = connect();
  ASSERT_TRUE(link.ok()) << link.error().message();
  EngineTraffic traffic(*engine_, *link);
  EXPECT_TRUE(traffic.wait_steps(5, Milliseconds(30'000))) << describe(link->report());
}

// The NIC gets another address, and then another NIC is the only one.
TEST_F(EngineNetworks, TheSameEngineConnectsAgainOverWhatThereIsThen) {
  FaultSetup all = setup();
  all.devices = "";  // what there is
  all.address = "0.0.0.0";
  for (int i = 1; i < kNics; ++i) both("ip link set " + NamespacePair::link_name(i) + " down");
  start(all);
  setup_.address = NamespacePair::address_b(0);
  const auto first = connect();
  ASSERT_TRUE(first.ok()) << first.error().message();
  first->close();
  for (const auto& [netns, host] :
       {std::pair(namespaces_->a(), "1"), std::pair(namespaces_->b(), "2")}) {
    ASSERT_TRUE(namespaces_->configure(netns, "addr flush dev hw0"));
    ASSERT_TRUE(
        namespaces_->configure(netns, std::string("addr add 10.78.0.") + host + "/24 dev hw0"));
  }
  setup_.address = "10.78.0.2";
  const auto second = connect();
  ASSERT_TRUE(second.ok()) << second.error().message();
  EXPECT_EQ(second->report().channels.front().device, "hw0");
  second->close();
  both("ip link set hw0 down");
  both("ip link set hw1 up");
  setup_.address = NamespacePair::address_b(1);
  const auto third = connect();
  ASSERT_TRUE(third.ok()) << third.error().message();
  EXPECT_EQ(third->report().channels.front().device, "hw1");
}

}  // namespace
}  // namespace hawser::test
