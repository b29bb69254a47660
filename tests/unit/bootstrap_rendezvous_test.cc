#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bootstrap/rendezvous.h"
#include "support/bootstrap_fixture.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using test::Accepting;
using test::agree;
using test::CapturedLog;
using test::good_hello;
using test::good_plan;
using test::listen_somewhere;
using test::RawPeer;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr auto kLong = 20s;

TEST(PortRule, IsTheSeeds) {
  EXPECT_EQ(channel_port(20000, 0, 0).value(), 20000);
  EXPECT_EQ(channel_port(20000, 0, 3).value(), 20003);
  EXPECT_EQ(channel_port(20000, 7, 7).value(), 20063);
  EXPECT_EQ(channel_port(65528, 0, 7).value(), 65535);
}

TEST(PortRule, RefusesWhatIsNoPort) {
  for (const auto& [base, gpu, channel] : {std::tuple{65528, 0, 8},
                                           {65528, 1, 0},
                                           {0, 0, 0},
                                           {-1, 0, 5},
                                           {20000, -1, 0},
                                           {20000, 0, -1},
                                           {20000, 2147483647, 2147483647}}) {
    const auto port = channel_port(base, gpu, channel);
    ASSERT_FALSE(port.ok()) << base << " " << gpu << " " << channel;
    EXPECT_EQ(port.error().code(), Code::invalid_argument);
  }
}

void meet(const std::string& bind_address, const std::string& client_address) {
  auto listening = listen_somewhere(bind_address, 1, 4);
  ASSERT_TRUE(listening.server);
  Accepting accepting(*listening.server, agree, kLong);
  auto hello = good_hello();
  hello.target_gpu = 1;
  hello.channels = 4;
  auto client =
      rendezvous_connect(client_address, listening.port_base, 1, hello, Deadline::after(kLong));
  ASSERT_TRUE(client.ok()) << client.error().message();
  EXPECT_EQ(client->plan.seed, good_plan().seed);
  EXPECT_EQ(client->plan.channels, 4u);
  auto& server = accepting.result();
  ASSERT_TRUE(server.ok()) << server.error().message();
  EXPECT_EQ(server->hello.target_gpu, 1u);
  EXPECT_EQ(server->hello.transport, "TCP");
}

TEST(RendezvousMeeting, OverIpv4) {
  meet("127.0.0.1", "127.0.0.1");
}
TEST(RendezvousMeeting, OverEveryIpv4Interface) {
  meet("0.0.0.0", "127.0.0.1");
}

}  // namespace
}  // namespace hawser
