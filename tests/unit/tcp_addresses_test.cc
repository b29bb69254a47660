// Which port and which address a device of the TCP transport has, and what becomes of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>

#include "net/tcp/handle.h"
#include "net/tcp/offer.h"
#include "net/tcp/tcp_net.h"
#include "support/guarded_buffer.h"
#include "support/net_flow.h"
#include "support/net_pair.h"
#include "support/ports.h"

namespace hawser {
namespace {

using namespace test;
using testing::HasSubstr;

// A machine whose interfaces are what the test says.
class TcpAddresses : public testing::Test {
 protected:
  using Records = std::vector<AddressRecord>;

  static AddressRecord loopback(const char* address) {
    return {"lo", 1, IFF_UP | IFF_LOOPBACK, IpAddress::parse(address), 8};
  }
  static AddressRecord nic(const char* name, unsigned index, const char* address) {
    return {name, index, IFF_UP, IpAddress::parse(address), 24, 9000};
  }
  TcpOptions options() {
    TcpOptions options;
    options.sysfs_root = "/nonexistent";
    options.addresses = [this] { return Result<Records>(records_); };
    return options;
  }
  std::unique_ptr<Net> net(const TcpOptions& options) {
    auto made = make_tcp_net(options);
    EXPECT_TRUE(made.ok()) << made.error().message();
    return made.ok() ? std::move(*made) : nullptr;
  }
  static std::vector<std::string> usable(const Net& net) {
    std::vector<std::string> names;
    for (const NetDevice& device : net.devices())
      if (!device.gone && !device.asked_only) names.push_back(device.name);
    return names;
  }

  static int free_port() { return bound_port(listen_on_loopback(0)); }

  Records records_ = {loopback("127.0.0.1")};
};

TEST_F(TcpAddresses, APortRangeIsOnePortOrTwoInOrder) {
  EXPECT_EQ(tcp::PortRange::parse("")->first, 0);
  EXPECT_EQ(tcp::PortRange::parse("30000")->last, 30000);
  EXPECT_EQ(tcp::PortRange::parse("30000-30015")->text(), "30000-30015");
  for (const char* const wrong : {"0", "x", "2-1", "1-", "-1", "1-70000", "1-2-3", "1 "})
    EXPECT_FALSE(tcp::PortRange::parse(wrong).ok()) << wrong;
}

TEST_F(TcpAddresses, AllConnectionsOfADeviceComeToOnePortOfTheRange) {
  const int port = free_port();
  TcpOptions named = options();
  named.data_ports = std::to_string(port);
  const auto one = net(named);
  const auto first = one->listen(0), second = one->listen(0);
  ASSERT_TRUE(first.ok() && second.ok());
  for (const auto* const listener : {&*first, &*second})
    EXPECT_EQ(tcp::decode_handle((*listener)->handle())->addresses[0].port, port);

  const auto other = net(named);
  const auto refused = other->listen(0);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("all ports of HAWSER_DATA_PORTS="));
  EXPECT_THAT(refused.error().message(), HasSubstr("127.0.0.1"));
}

TEST_F(TcpAddresses, WhatIsAdvertisedStandsInTheHandle) {
  records_.push_back(nic("eth0", 2, "127.0.0.2"));
  TcpOptions behind_nat = options();
  behind_nat.advertise = "eth0=203.0.113.7";
  const auto made = net(behind_nat);
  const auto listener = made->listen(0);
  ASSERT_TRUE(listener.ok()) << listener.error().message();
  EXPECT_EQ(tcp::decode_handle((*listener)->handle())->addresses[0].ip.text(), "203.0.113.7");
  EXPECT_EQ((*made->endpoints(0))[0].address.ip.text(), "203.0.113.7");
  EXPECT_EQ((*made->endpoints(1))[0].address.ip.text(), "127.0.0.1");
  behind_nat.advertise = "eth0=here";
  EXPECT_THAT(make_tcp_net(behind_nat).error().message(), HasSubstr("'here' is no address"));
}

TEST_F(TcpAddresses, AnAddressOfADeviceCanBeNamed) {
  records_ = {nic("eth0", 2, "127.0.0.2"), nic("eth0", 2, "127.0.0.3")};
  const auto made = net(options());
  EXPECT_EQ(made->endpoints(0)->size(), 2u);
  EXPECT_EQ(*choose_device(*made, "eth0"), 0);
  ASSERT_TRUE(choose_device(*made, "eth0/127.0.0.3").ok());
  EXPECT_EQ(made->devices()[0].address, "127.0.0.3");
  ASSERT_EQ(made->endpoints(0)->size(), 1u);
  const auto listener = made->listen(0);
  EXPECT_EQ(tcp::decode_handle((*listener)->handle())->addresses[0].ip.text(), "127.0.0.3");
  EXPECT_THAT(choose_device(*made, "eth0/127.0.0.4").error().message(),
              HasSubstr("eth0 has no address 127.0.0.4, but 127.0.0.2, 127.0.0.3"));
  EXPECT_THAT(choose_device(*made, "eth0/x").error().message(), HasSubstr("no address"));
}

TEST_F(TcpAddresses, InterfacesComeGoAndChangeAndKeepTheirPlaces) {
  records_.push_back(nic("eth0", 2, "127.0.0.2"));
  const auto made = net(options());
  EXPECT_EQ(usable(*made), std::vector<std::string>{"eth0"});
  const auto& before = made->devices();

  records_ = {loopback("127.0.0.1"), nic("eth1", 3, "127.0.0.3")};
  ASSERT_TRUE(made->refresh().ok());
  EXPECT_EQ(usable(*made), std::vector<std::string>{"eth1"});
  EXPECT_TRUE(made->devices()[0].gone);
  EXPECT_FALSE(before[0].gone);  // what was told stays as it is

  records_.push_back(nic("eth0", 4, "127.0.0.4"));
  ASSERT_TRUE(made->refresh().ok());
  EXPECT_EQ(usable(*made), (std::vector<std::string>{"eth0", "eth1"}));
  EXPECT_EQ(made->devices()[0].address, "127.0.0.4");
  const auto listener = made->listen(0);
  EXPECT_EQ(tcp::decode_handle((*listener)->handle())->addresses[0].ip.text(), "127.0.0.4");

  const auto* const same = &made->devices();
  ASSERT_TRUE(made->refresh().ok());
  EXPECT_EQ(&made->devices(), same);  // nothing has changed
}

TEST_F(TcpAddresses, WhoeverConnectsMayReceive) {
  const auto made = net(options());
  const auto listener = made->listen_to_send(0);
  ASSERT_TRUE(listener.ok());
  const auto connector = made->connect_to_receive(0, (*listener)->handle());
  ASSERT_TRUE(connector.ok());
  NetPair pair;
  const Deadline deadline = soon();
  for (Backoff backoff; !pair.sender || !pair.receiver; backoff.idle()) {
    ASSERT_FALSE(deadline.expired());
    if (!pair.sender) pair.sender = std::move(*(*listener)->try_accept());
    if (!pair.receiver) pair.receiver = std::move(*(*connector)->try_connect());
  }
  GuardedBuffer from(200000), to(200000);
  fill_pattern(from.span(0, 200000), 1);
  SendFlow send(*pair.sender, made->devices()[0].capabilities);
  ReceiveFlow receive(*pair.receiver, made->devices()[0].capabilities);
  Registration* const source = *pair.sender->register_memory(from.range());
  Registration* const sink = *pair.receiver->register_memory(to.range());
  ASSERT_TRUE(receive.post(to.data(), 200000, 0, sink).ok());
  ASSERT_TRUE(send.post(from.data(), 200000, 0, source).ok());
  EXPECT_TRUE(drain(send, receive, soon()).ok());
  EXPECT_EQ(pattern_mismatch(to.span(0, 200000), 1), "");
  EXPECT_TRUE(pair.sender->deregister(source).ok());
  EXPECT_TRUE(pair.receiver->deregister(sink).ok());
}

TEST_F(TcpAddresses, AProbeTellsWhetherSomebodyListens) {
  const auto made = net(options());
  const Endpoint here = made->endpoints(0)->front();
  Endpoint nowhere = here;
  nowhere.address.port = static_cast<std::uint16_t>(free_port());
  for (const auto& [to, expected] : {std::pair(here, true), std::pair(nowhere, false)}) {
    const auto probe = made->probe(0, to);
    std::optional<bool> reached;
    const Deadline deadline = soon();
    for (Backoff backoff; !reached && !deadline.expired(); backoff.idle())
      reached = probe->reached();
    EXPECT_EQ(reached, expected);
  }
}

}  // namespace
}  // namespace hawser
