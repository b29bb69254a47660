// Two machines in one: several interfaces, and the right address at both ends of each connection.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/tcp/connection.h"
#include "net/tcp/tcp_net.h"
#include "support/guarded_buffer.h"
#include "support/net_flow.h"
#include "support/net_pair.h"
#include "support/netns.h"

namespace hawser {
namespace {

using namespace test;
using testing::HasSubstr;

constexpr int kLinks = 3;

class TcpNamespaces : public testing::Test {
 protected:
  void SetUp() override { lay(kLinks, NamespacePair::Layout::cables); }
  void lay(int links, NamespacePair::Layout layout) {
    std::string why_not;
    namespaces_ = NamespacePair::create(links, why_not, layout);
    if (!namespaces_) GTEST_SKIP() << why_not;
  }

  std::unique_ptr<Net> net_in(const std::string& netns, FamilyChoice family,
                              TcpOptions options = {}) {
    std::unique_ptr<Net> made;
    inside(netns, [&] {
      options.interfaces.names = "hw";
      options.interfaces.family = family;
      auto net = make_tcp_net(options);
      ASSERT_TRUE(net.ok()) << net.error().message();
      made = std::move(*net);
    });
    return made;
  }

  // Connects device `link` of b to the same of a.
  Result<NetPair> connect(Net& a, Net& b, int link) {
    std::unique_ptr<Listener> listener;
    std::unique_ptr<Connector> connector;
    Status made;
    inside(namespaces_->a(), [&] {
      auto result = a.listen(link);
      if (result.ok())
        listener = std::move(*result);
      else
        made = result.error();
    });
    if (!made.ok()) return made.error();
    inside(namespaces_->b(), [&] {
      auto result = b.connect(link, listener->handle());
      if (result.ok())
        connector = std::move(*result);
      else
        made = result.error();
    });
    if (!made.ok()) return made.error();
    NetPair pair;
    const Deadline deadline = soon();
    for (Backoff backoff; !pair.sender || !pair.receiver; backoff.idle()) {
      if (deadline.expired()) return Error(Code::timeout, "not connected");
      if (!pair.receiver) {
        HAWSER_ASSIGN(pair.receiver, listener->try_accept());
      }
      if (!pair.sender) {
        HAWSER_ASSIGN(pair.sender, connector->try_connect());
      }
    }
    return pair;
  }

  // Which addresses a comm uses, from the error that names them.
  static std::string addresses(SendComm& comm) { return comm.test(nullptr).error().message(); }
  static std::string addresses(ReceiveComm& comm) { return comm.test(nullptr).error().message(); }

  static void move_a_message(NetPair& pair, const NetCapabilities& capabilities) {
    GuardedBuffer from(100000), to(100000);
    fill_pattern(from.span(0, 100000), 1);
    Registration* const source = *pair.sender->register_memory(from.range());
    Registration* const sink = *pair.receiver->register_memory(to.range());
    SendFlow send(*pair.sender, capabilities);
    ReceiveFlow receive(*pair.receiver, capabilities);
    ASSERT_TRUE(receive.post(to.data(), 100000, 0, sink).ok());
    ASSERT_TRUE(send.post(from.data(), 100000, 0, source).ok());
    const Status drained = drain(send, receive, soon());
    EXPECT_TRUE(drained.ok());
    EXPECT_EQ(pattern_mismatch(to.span(0, 100000), 1), "");
    EXPECT_TRUE(pair.sender->deregister(source).ok());
    EXPECT_TRUE(pair.receiver->deregister(sink).ok());
  }

  std::unique_ptr<NamespacePair> namespaces_;
};

TEST_F(TcpNamespaces, EachDeviceUsesItsOwnAddressAtBothEnds) {
  const auto a = net_in(namespaces_->a(), FamilyChoice::any);
  const auto b = net_in(namespaces_->b(), FamilyChoice::any);
  ASSERT_TRUE(a && b);
  ASSERT_EQ(a->devices().size(), static_cast<std::size_t>(kLinks));
  for (int link = 0; link < kLinks; ++link) {
    const std::string at_a = NamespacePair::address_a(link), at_b = NamespacePair::address_b(link);
    EXPECT_EQ(a->devices()[static_cast<std::size_t>(link)].address, at_a);
    auto pair = connect(*a, *b, link);
    ASSERT_TRUE(pair.ok()) << pair.error().message();
    EXPECT_THAT(
        addresses(*pair->sender),
        testing::ContainsRegex("hw" + std::to_string(link) + ", " + at_b + ":[0-9]+ to " + at_a));
    EXPECT_THAT(
        addresses(*pair->receiver),
        testing::ContainsRegex("hw" + std::to_string(link) + ", " + at_a + ":[0-9]+ to " + at_b));
    move_a_message(*pair, a->devices().front().capabilities);
  }
}

// Where every address of a is reachable through every link, only the bound source tells them apart.
TEST_F(TcpNamespaces, TheSourceIsTheDevicesEvenTowardsAnothersAddress) {
  ASSERT_TRUE(
      namespaces_->configure(namespaces_->b(), "route add 10.77.0.1/32 via 10.77.1.1 dev hw1"));
  const auto a = net_in(namespaces_->a(), FamilyChoice::ipv4);
  const auto b = net_in(namespaces_->b(), FamilyChoice::ipv4);
  ASSERT_TRUE(a && b);
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Connector> connector;
  inside(namespaces_->a(), [&] { listener = std::move(*a->listen(0)); });
  inside(namespaces_->b(), [&] { connector = std::move(*b->connect(1, listener->handle())); });
  std::unique_ptr<SendComm> sender;
  std::unique_ptr<ReceiveComm> receiver;
  const Deadline deadline = soon();
  for (Backoff backoff; !sender || !receiver; backoff.idle()) {
    ASSERT_FALSE(deadline.expired());
    if (!receiver) receiver = std::move(*listener->try_accept());
    if (!sender) sender = std::move(*connector->try_connect());
  }
  EXPECT_THAT(addresses(*sender), testing::ContainsRegex("hw1, 10.77.1.2:[0-9]+ to 10.77.0.1:"));
  EXPECT_THAT(addresses(*receiver), testing::ContainsRegex("hw0, 10.77.0.1:[0-9]+ to 10.77.1.2:"));
}

TEST_F(TcpNamespaces, Ipv6Works) {
  const auto a = net_in(namespaces_->a(), FamilyChoice::ipv6);
  const auto b = net_in(namespaces_->b(), FamilyChoice::ipv6);
  ASSERT_TRUE(a && b);
  for (int link = 0; link < kLinks; ++link) {
    auto pair = connect(*a, *b, link);
    ASSERT_TRUE(pair.ok()) << pair.error().message();
    EXPECT_THAT(addresses(*pair->receiver),
                HasSubstr(IpAddress::parse(NamespacePair::address6_b(link))->text()));
    move_a_message(*pair, a->devices().front().capabilities);
  }
}

// Link-local addresses are the same kind of thing on every link: only the scope tells them apart.
TEST_F(TcpNamespaces, LinkLocalAddressesUseTheConnectingSidesScope) {
  for (const auto& [netns, host] :
       {std::pair(namespaces_->a(), "1"), std::pair(namespaces_->b(), "2")})
    for (int link = 0; link < kLinks; ++link) {
      const std::string name = NamespacePair::link_name(link);
      ASSERT_TRUE(namespaces_->configure(netns, "addr flush dev " + name));
      ASSERT_TRUE(namespaces_->configure(
          netns, std::string("addr add fe80::77:") + host + "/64 dev " + name + " nodad"));
    }
  const auto a = net_in(namespaces_->a(), FamilyChoice::any);
  const auto b = net_in(namespaces_->b(), FamilyChoice::any);
  ASSERT_TRUE(a && b);
  for (int link = 0; link < kLinks; ++link) {
    auto pair = connect(*a, *b, link);
    ASSERT_TRUE(pair.ok()) << pair.error().message();
    EXPECT_THAT(addresses(*pair->receiver), HasSubstr("hw" + std::to_string(link)));
    EXPECT_THAT(addresses(*pair->receiver), HasSubstr("[fe80::77:2%"));
    move_a_message(*pair, a->devices().front().capabilities);
  }
}

// A socket that is bound to its interface asks for the address there, whatever the routes say.
TEST_F(TcpNamespaces, AnUnreachableAddressIsAnErrorThatSaysWhatWasTriedAndFromWhere) {
  ASSERT_TRUE(namespaces_->configure(namespaces_->a(), "addr del 10.77.0.1/24 dev hw0"));
  ASSERT_TRUE(namespaces_->configure(namespaces_->a(), "addr add 10.77.0.1/24 dev hw1"));
  const auto a = net_in(namespaces_->a(), FamilyChoice::ipv4);
  const auto b = net_in(namespaces_->b(), FamilyChoice::ipv4);
  ASSERT_TRUE(a && b);
  ASSERT_TRUE(a->use_address(0, *IpAddress::parse("10.77.0.1")).ok());  // now hw1's
  std::unique_ptr<Listener> listener;
  Result<std::unique_ptr<Connector>> connector = Error(Code::internal, "not tried");
  inside(namespaces_->a(), [&] { listener = std::move(*a->listen(0)); });
  // Nobody answers on hw0 but by flux: that is switched off.
  ASSERT_TRUE(namespaces_->shell(namespaces_->a(),
                                 "echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore"));
  inside(namespaces_->b(), [&] { connector = b->connect(0, listener->handle()); });
  ASSERT_TRUE(connector.ok());
  const Deadline deadline = soon();
  Result<std::unique_ptr<SendComm>> comm = std::unique_ptr<SendComm>();
  for (Backoff backoff; comm.ok(); backoff.idle()) {
    ASSERT_FALSE(deadline.expired());
    comm = (*connector)->try_connect();
  }
  EXPECT_EQ(comm.error().code(), Code::peer);
  EXPECT_THAT(comm.error().message(),
              testing::ContainsRegex(
                  "connecting over hw0, 10.77.0.2 to 10.77.0.1:[0-9]+: nobody answers"));
}

// Two NICs of each side in one network, at one switch: the routes know but one of them.
class TcpSameSubnet : public TcpNamespaces {
 protected:
  void SetUp() override { lay(2, NamespacePair::Layout::one_switch); }

  std::uint64_t sent(int nic) const {
    return NamespacePair::counter(namespaces_->b(), NamespacePair::link_name(nic), "tx_bytes");
  }
};

TEST_F(TcpSameSubnet, DataLeavesByTheInterfaceThatIsNamed) {
  constexpr std::uint64_t kMessages = 10;
  constexpr std::uint64_t kBytes = kMessages * 100000;
  const auto a = net_in(namespaces_->a(), FamilyChoice::ipv4);
  const auto b = net_in(namespaces_->b(), FamilyChoice::ipv4);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->devices()[0].manner.find("address only"), std::string::npos);
  for (int nic = 0; nic < 2; ++nic) {
    auto pair = connect(*a, *b, nic);
    ASSERT_TRUE(pair.ok()) << pair.error().message();
    const std::uint64_t before = sent(nic), other = sent(1 - nic);
    for (std::uint64_t i = 0; i < kMessages; ++i)
      move_a_message(*pair, a->devices().front().capabilities);
    EXPECT_GE(sent(nic) - before, kBytes) << nic;
    EXPECT_LT(sent(1 - nic) - other, kBytes / 10) << nic;
  }
}

TEST_F(TcpSameSubnet, WhereSocketsMayNotBeBoundToInterfacesTheDeviceSaysSo) {
  TcpOptions options;
  options.bind_to_devices = false;
  const auto a = net_in(namespaces_->a(), FamilyChoice::ipv4);
  const auto b = net_in(namespaces_->b(), FamilyChoice::ipv4, options);
  ASSERT_TRUE(a && b);
  EXPECT_THAT(b->devices()[1].manner, HasSubstr("bound to its address only"));
  auto pair = connect(*a, *b, 1);
  ASSERT_TRUE(pair.ok()) << pair.error().message();
  const std::uint64_t before = sent(1);
  move_a_message(*pair, a->devices().front().capabilities);
  EXPECT_LT(sent(1) - before, 10000u);  // it left by the route's, hw0
}

}  // namespace
}  // namespace hawser
