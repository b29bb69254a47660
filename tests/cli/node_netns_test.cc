// hawser node between two machines, as far as one machine can: two NICs each, in namespaces.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "cli/node_pair.h"
#include "support/netns.h"

namespace hawser::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using ::testing::HasSubstr;

class NodeNetns : public testing::Test {
 protected:
  void SetUp() override {
    std::string why_not;
    netns_ = NamespacePair::create(2, why_not);
    if (!netns_) GTEST_SKIP() << why_not;
    pair_.server_netns = netns_->a();
    pair_.client_netns = netns_->b();
    pair_.server_address = "0.0.0.0";
    pair_.client_address = NamespacePair::address_a(0);
    pair_.where = {"--gpus", "2", "--memory", "host", "--device", "hw0,hw1"};
  }

  // The channels of each GPU that are on each NIC.
  static std::map<std::string, int> nics_of(const json& gpu) {
    std::map<std::string, int> nics;
    for (const json& channel : gpu.at("link").at("channel_list"))
      ++nics[channel.at("device").get<std::string>()];
    return nics;
  }

  std::unique_ptr<NamespacePair> netns_;
  NodePair pair_;
};

TEST_F(NodeNetns, EveryDeviceUsesBothNics) {
  pair_.both.insert(pair_.both.end(), {"--bytes", "8M", "--iterations", "4", "--channels", "2"});
  expect_node_passed(pair_.run());
  const json report = pair_.client_json();
  expect_adds_up(report);
  ASSERT_EQ(report.at("nics").size(), 2u);
  for (const json& nic : report.at("nics"))
    EXPECT_GT(nic.at("bytes_sent").get<std::uint64_t>(), 0u) << nic;
  for (const json& gpu : report.at("gpus")) EXPECT_EQ(nics_of(gpu).size(), 2u) << gpu;
}

// Both NICs of both sides in one network, at one switch.
class NodeOneNetwork : public NodeNetns {
 protected:
  void SetUp() override {
    std::string why_not;
    netns_ = NamespacePair::create(2, why_not, NamespacePair::Layout::one_switch);
    if (!netns_) GTEST_SKIP() << why_not;
    pair_.server_netns = netns_->a();
    pair_.client_netns = netns_->b();
    pair_.server_address = "0.0.0.0";
    pair_.client_address = NamespacePair::switched_a(0);
    pair_.where = {"--gpus", "1", "--memory", "host", "--device", "hw0,hw1"};
    pair_.both.insert(pair_.both.end(), {"--bytes", "8M", "--iterations", "4"});
  }
};

TEST_F(NodeOneNetwork, TheKernelCountsOnEachNicWhatItsChannelsSent) {
  const Outcomes outcomes = pair_.run();
  expect_node_passed(outcomes);
  const json report = pair_.client_json();
  ASSERT_EQ(report.at("nics").size(), 2u);
  for (const json& nic : report.at("nics")) {
    EXPECT_GT(nic.at("bytes_sent").get<std::uint64_t>(), 0u) << nic;
    EXPECT_GE(nic.at("kernel").at("bytes_sent"), nic.at("bytes_sent")) << nic;
  }
  EXPECT_EQ(report.at("kernel_differences").size(), 0u) << report.at("kernel_differences");
  EXPECT_THAT(outcomes.client.out, HasSubstr("The kernel's counters of the NICs agree."));
}

TEST_F(NodeNetns, TheMapGivesEachDeviceItsNic) {
  pair_.both.insert(pair_.both.end(),
                    {"--bytes", "4M", "--iterations", "2", "--gpu-nic-map", "0=hw0;1=hw1"});
  expect_node_passed(pair_.run());
  const json report = pair_.server_json();
  expect_adds_up(report);
  for (int gpu = 0; gpu < 2; ++gpu) {
    const auto nics = nics_of(report.at("gpus")[static_cast<std::size_t>(gpu)]);
    ASSERT_EQ(nics.size(), 1u);
    EXPECT_EQ(nics.begin()->first, NamespacePair::link_name(gpu));
  }
}

// A cable that is pulled in the middle: the other one takes over, nothing is lost, and it shows.
TEST_F(NodeNetns, ANicThatIsCutIsTakenOver) {
  pair_.both = {"--plugin",  "builtin", "--timeout",  "20",          "--bytes", "4M",
                "--seconds", "8",       "--progress", "--direction", "both"};
  Subprocess server(pair_.server()), client(pair_.client());
  ASSERT_TRUE(client.wait_for_output("2 moving"));
  ASSERT_TRUE(netns_->configure(netns_->a(), "link set hw1 down"));
  const Outcomes outcomes{server.wait(seconds(60)), client.wait(seconds(60))};
  expect_node_passed(outcomes);
  const json report = pair_.client_json();
  expect_adds_up(report);
  EXPECT_GT(report.at("total").at("failures").get<int>(), 0);
  for (const json& nic : report.at("nics")) {
    const bool cut = nic.at("name") == "hw1";
    EXPECT_EQ(nic.at("failures").get<int>() > 0, cut) << nic;
  }
}

}  // namespace
}  // namespace hawser::test
