// Between two machines, as far as one machine can: network namespaces joined by veth.
#include "support/netns.h"

#include <gtest/gtest.h>

#include "cli/page.h"
#include "cli/validation_pair.h"

namespace hawser::test {
namespace {

class TwoNamespaces : public testing::Test {
 protected:
  void SetUp() override {
    std::string why_not;
    netns_ = NamespacePair::create(2, why_not);
    if (!netns_) GTEST_SKIP() << why_not;
    pair_.server_netns = netns_->a();
    pair_.client_netns = netns_->b();
    pair_.server_address = "0.0.0.0";
    pair_.client_address = NamespacePair::address_a(0);
    pair_.dev = "0";
  }

  // Both pages name this veth, as device `dev`, of `devices` (two veths and loopback).
  void expect_pages(const Outcomes& outcomes, const std::string& dev, const std::string& name) {
    ASSERT_EQ(outcomes.server.exit_code, 0)
        << outcomes.server.describe() << outcomes.client.describe();
    ASSERT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
    PageNumbers numbers;
    numbers.dev = dev;
    numbers.name = name;
    numbers.devices = "3";
    numbers.speed = "10000";  // what veth says of itself
    EXPECT_EQ(outcomes.server.out, page_passed(numbers));
    numbers.role = "client";
    EXPECT_EQ(outcomes.client.out, page_passed(numbers));
  }

  std::unique_ptr<NamespacePair> netns_;
  ValidationPair pair_;
};

TEST_F(TwoNamespaces, FirstDevice) {
  expect_pages(pair_.run(), "0", "hw0");
}

TEST_F(TwoNamespaces, SecondDevice) {
  pair_.dev = "1";
  expect_pages(pair_.run(), "1", "hw1");
}

TEST_F(TwoNamespaces, DeviceByName) {
  pair_.dev = "hw1";
  expect_pages(pair_.run(), "1", "hw1");
}

// The chosen device carries the data, though the control connection uses the other.
TEST_F(TwoNamespaces, DataTakesTheChosenDevice) {
  const auto sent_bytes = [&](const char* link) {
    Command command{.args = {"cat", std::string("/sys/class/net/") + link + "/statistics/tx_bytes"},
                    .env = {},
                    .cwd = {},
                    .netns = netns_->b()};
    return std::stoll(run(command).out);
  };
  const long long first = sent_bytes("hw0"), second = sent_bytes("hw1");
  pair_.dev = "hw1";
  expect_pages(pair_.run(), "1", "hw1");
  EXPECT_LT(sent_bytes("hw0") - first, 1 << 20);
  EXPECT_GT(sent_bytes("hw1") - second, 4 << 24);
}

TEST_F(TwoNamespaces, Ipv6) {
  pair_.server_address = "::";
  pair_.client_address = "fd77:0::1";
  pair_.env.emplace_back("HAWSER_SOCKET_FAMILY", "ipv6");
  expect_pages(pair_.run(), "0", "hw0");
}

// A cable that is pulled in the middle: both sides end with a reason.
TEST_F(TwoNamespaces, LinkCutDuringTheTransfer) {
  pair_.with("--timeout", "3");
  pair_.server_holds_at = "transfer";
  Subprocess server(pair_.server()), client(pair_.client());
  ASSERT_TRUE(server.wait_for_output("holding at transfer"));
  ASSERT_TRUE(netns_->configure(netns_->a(), "link set hw0 down"));
  const Outcome outcome = client.wait(std::chrono::seconds(20));
  EXPECT_EQ(outcome.exit_code, 1) << outcome.describe();
  EXPECT_NE(outcome.err, "");
}

}  // namespace
}  // namespace hawser::test
