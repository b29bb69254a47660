#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bootstrap/rendezvous.h"
#include "support/bootstrap_fixture.h"
#include "support/ports.h"

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
TEST(RendezvousMeeting, OverAHostName) {
  if (!test::localhost_is_known()) GTEST_SKIP() << "this machine does not know the name localhost";
  meet("localhost", "localhost");
}
TEST(RendezvousMeeting, OverIpv6) {
  if (!test::ipv6_is_there()) GTEST_SKIP() << "no IPv6 loopback";
  meet("::1", "::1");
  meet("[::1]", "[::1]");
  meet("::", "::1");
}
TEST(RendezvousMeeting, EveryIpv6InterfaceIsEveryIpv4InterfaceToo) {
  if (!test::ipv6_is_there()) GTEST_SKIP() << "no IPv6 loopback";
  meet("::", "127.0.0.1");
}

TEST(RendezvousMeeting, KeepsWhatCameBehindTheHandshake) {
  auto listening = listen_somewhere();
  Accepting accepting(*listening.server, agree, kLong);
  auto peer = RawPeer::connect("127.0.0.1", listening.port_base);
  auto bytes = wire::encode(good_hello());
  const auto more = wire::encode(wire::Barrier{42});
  bytes.insert(bytes.end(), more.begin(), more.end());
  ASSERT_TRUE(peer.send(bytes));
  auto& server = accepting.result();
  ASSERT_TRUE(server.ok());
  auto next = server->line->next_frame();
  ASSERT_TRUE(next.ok() && next->has_value());
  EXPECT_EQ(std::get<wire::Barrier>(*wire::decode_frame(**next)).id, 42u);
}

TEST(RendezvousMeeting, ClientThatComesFirstWaitsForItsServer) {
  CapturedLog log(LogLevel::info);
  test::PortRange ports;
  std::optional<Result<Rendezvous>> client;
  std::thread early([&] {
    client.emplace(
        rendezvous_connect("127.0.0.1", ports.base(), 0, good_hello(), Deadline::after(kLong)));
  });
  EXPECT_TRUE(log.wait_for("Connection refused", kLong));
  auto server = RendezvousServer::listen("127.0.0.1", ports.base(), 0, 1);
  ASSERT_TRUE(server.ok());
  auto met = (*server)->accept(agree, Deadline::after(kLong));
  early.join();
  EXPECT_TRUE(met.ok());
  EXPECT_TRUE(client->ok());
  EXPECT_EQ(log.count("trying again"), 1);
}

TEST(RendezvousListen, BusyPortNamesTheObjectAndTheRemedy) {
  auto first = listen_somewhere("127.0.0.1", 1, 4);
  // Its channel 0 is the first one's channel 2.
  auto second = RendezvousServer::listen("127.0.0.1", first.port_base + 2, 1, 4);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), Code::system);
  EXPECT_THAT(
      second.error().message(),
      AllOf(HasSubstr(fmt::format("127.0.0.1:{}", first.port_base + 10)),
            HasSubstr("gpu 1, channel 0"), HasSubstr("--port-base"), HasSubstr("ss -ltnp")));
}

TEST(RendezvousListen, HoldsEveryChannelsPort) {
  auto held = listen_somewhere("127.0.0.1", 0, 4);
  for (int channel = 0; channel < 4; ++channel)
    EXPECT_FALSE(RendezvousServer::listen("127.0.0.1", held.port_base + channel, 0, 1).ok());
  EXPECT_TRUE(RendezvousServer::listen("127.0.0.1", held.port_base + 4, 0, 1).ok());
}

TEST(RendezvousListen, MoreChannelsThanPortsLeaveTheNextGpuItsOwn) {
  auto many = listen_somewhere("127.0.0.1", 0, 64);
  EXPECT_TRUE(RendezvousServer::listen("127.0.0.1", many.port_base, 1, 64).ok());
}

TEST(RendezvousListen, GivesThePortsBackWhenItGoes) {
  auto server = listen_somewhere("127.0.0.1", 0, 4);
  server.server.reset();
  EXPECT_TRUE(RendezvousServer::listen("127.0.0.1", server.port_base, 0, 4).ok());
}

TEST(RendezvousListen, RefusesBadInput) {
  const int base = test::PortRange().base();
  EXPECT_EQ(RendezvousServer::listen("127.0.0.1", base, 0, 0).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(RendezvousServer::listen("127.0.0.1", base, 0, 1025).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(RendezvousServer::listen("127.0.0.1", 65535, 0, 2).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(RendezvousServer::listen("", base, 0, 1).error().code(), Code::invalid_argument);
  const auto elsewhere = RendezvousServer::listen("192.0.2.77", base, 0, 1);
  ASSERT_FALSE(elsewhere.ok());
  EXPECT_THAT(elsewhere.error().message(), HasSubstr("192.0.2.77"));
  EXPECT_THAT(elsewhere.error().message(), HasSubstr("no such address"));
}

TEST(RendezvousServing, RefusalOfTheDecisionReachesTheClient) {
  CapturedLog log;
  auto listening = listen_somewhere();
  Accepting accepting(
      *listening.server,
      [](const wire::Hello& hello) -> Result<wire::Plan> {
        if (hello.memory == 2)
          return Error(Code::invalid_argument, "this side has host memory only");
        return good_plan();
      },
      kLong);
  auto hello = good_hello();
  hello.memory = 2;
  auto client =
      rendezvous_connect("127.0.0.1", listening.port_base, 0, hello, Deadline::after(kLong));
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.error().code(), Code::peer);
  EXPECT_THAT(client.error().message(), HasSubstr("refused: this side has host memory only"));
  EXPECT_EQ(log.count("this side has host memory only"), 1);

  EXPECT_TRUE(
      rendezvous_connect("127.0.0.1", listening.port_base, 0, good_hello(), Deadline::after(kLong))
          .ok());
  EXPECT_TRUE(accepting.result().ok());
}

TEST(RendezvousServing, DeadlineTellsWhereNobodyCame) {
  auto listening = listen_somewhere();
  const auto nobody = listening.server->accept(agree, Deadline::after(50ms));
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(nobody.error().code(), Code::timeout);
  EXPECT_THAT(nobody.error().message(),
              HasSubstr(fmt::format("no client came to 127.0.0.1:{} within 0.05 s (refused 0",
                                    listening.port_base)));
}

TEST(RendezvousServing, StopEndsTheWaitNowAndLater) {
  auto listening = listen_somewhere();
  Accepting accepting(*listening.server, agree, kLong);
  listening.server->stop();
  ASSERT_FALSE(accepting.result().ok());
  EXPECT_EQ(accepting.result().error().code(), Code::cancelled);
  EXPECT_EQ(listening.server->accept(agree, Deadline::after(kLong)).error().code(),
            Code::cancelled);
}

TEST(RendezvousServing, ServesOneClient) {
  auto listening = listen_somewhere();
  Accepting accepting(*listening.server, agree, kLong);
  auto client =
      rendezvous_connect("127.0.0.1", listening.port_base, 0, good_hello(), Deadline::after(kLong));
  ASSERT_TRUE(accepting.result().ok());
  EXPECT_EQ(listening.server->accept(agree, Deadline::after(kLong)).error().code(),
            Code::invalid_argument);
  EXPECT_TRUE(RendezvousServer::listen("127.0.0.1", listening.port_base, 0, 1).ok())
      << "its ports are free again";
}

TEST(RendezvousCalling, RefusesBadInputAtOnce) {
  EXPECT_EQ(rendezvous_connect("127.0.0.1", 70000, 0, good_hello(), Deadline::after(kLong))
                .error()
                .code(),
            Code::invalid_argument);
  EXPECT_EQ(rendezvous_connect("", 20000, 0, good_hello(), Deadline::after(kLong)).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(rendezvous_connect("not an address", 20000, 0, good_hello(), Deadline::after(kLong))
                .error()
                .code(),
            Code::invalid_argument);
}

}  // namespace
}  // namespace hawser
