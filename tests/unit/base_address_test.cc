#include <arpa/inet.h>
#include <gtest/gtest.h>

#include "base/address.h"

namespace hawser {
namespace {

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

TEST(IpAddress, ParsesAndPrintsBothFamilies) {
  for (const char* text : {"192.0.2.7", "127.0.0.1", "::1", "2001:db8::2", "fe80::1"})
    EXPECT_EQ(ip(text).text(), text);
  EXPECT_EQ(ip("192.0.2.7").family, IpFamily::ipv4);
  EXPECT_EQ(ip("::1").family, IpFamily::ipv6);
}

TEST(IpAddress, RefusesWhatIsNoAddress) {
  for (const char* text : {"", "localhost", "192.0.2", "192.0.2.256", "192.0.2.7:80", "fe80::1%lo"})
    EXPECT_FALSE(IpAddress::parse(text)) << text;
}

TEST(IpAddress, KnowsLinkLocalAndLoopback) {
  EXPECT_TRUE(ip("fe80::1").link_local());
  EXPECT_TRUE(ip("febf::1").link_local());
  EXPECT_FALSE(ip("fec0::1").link_local());
  EXPECT_FALSE(ip("169.254.0.1").link_local());  // IPv4's needs no scope
  EXPECT_TRUE(ip("127.8.9.10").loopback());
  EXPECT_TRUE(ip("::1").loopback());
  EXPECT_FALSE(ip("::2").loopback());
}

TEST(IpAddress, TheScopeIsNoPartOfTheAddress) {
  IpAddress here = ip("fe80::1");
  here.scope = 3;
  EXPECT_EQ(here.text(), "fe80::1%3");
  EXPECT_TRUE(here.same_address(ip("fe80::1")));
  EXPECT_FALSE(here.same_address(ip("fe80::2")));
  EXPECT_FALSE(ip("127.0.0.1").same_address(ip("::1")));
}

TEST(SocketAddress, SurvivesTheSocketCallsForm) {
  for (const char* text : {"192.0.2.7", "2001:db8::2", "fe80::1"}) {
    SocketAddress address{ip(text), 4711};
    if (address.ip.link_local()) address.ip.scope = 5;
    sockaddr_storage storage;
    const socklen_t length = address.fill(storage);
    EXPECT_EQ(length,
              address.ip.family == IpFamily::ipv4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const auto again = SocketAddress::from(reinterpret_cast<const sockaddr*>(&storage));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->text(), address.text());
  }
}

TEST(SocketAddress, AnIpv4AddressInIpv6sClothesIsOne) {
  sockaddr_in6 mapped{};
  mapped.sin6_family = AF_INET6;
  mapped.sin6_port = htons(4711);
  inet_pton(AF_INET6, "::ffff:192.0.2.7", &mapped.sin6_addr);
  const auto address = SocketAddress::from(reinterpret_cast<const sockaddr*>(&mapped));
  ASSERT_TRUE(address);
  EXPECT_EQ(address->ip.family, IpFamily::ipv4);
  EXPECT_EQ(address->text(), "192.0.2.7:4711");
}

TEST(SocketAddress, IsFoundByNumberAndByName) {
  const auto bracketed = sockets::resolve("[::1]", 80, sockets::Use::connect);
  ASSERT_TRUE(bracketed.ok());
  EXPECT_EQ(bracketed->front().text(), "[::1]:80");
  EXPECT_EQ(sockets::resolve("192.0.2.7", 80, sockets::Use::listen).value().front().text(),
            "192.0.2.7:80");
  EXPECT_EQ(sockets::resolve("", 80, sockets::Use::connect).error().code(), Code::invalid_argument);
  EXPECT_EQ(sockets::host_and_port("::1", 80), "[::1]:80");
  EXPECT_EQ(sockets::host_and_port("[::1]", 80), "[::1]:80");
  EXPECT_EQ(sockets::host_and_port("here", 80), "here:80");
}

TEST(SocketAddress, PrintsAsUrlsDo) {
  EXPECT_EQ((SocketAddress{ip("192.0.2.7"), 80}.text()), "192.0.2.7:80");
  EXPECT_EQ((SocketAddress{ip("::1"), 80}.text()), "[::1]:80");
}

TEST(SocketAddress, OtherFamiliesAreNone) {
  sockaddr_storage storage{};
  storage.ss_family = AF_UNIX;
  EXPECT_FALSE(SocketAddress::from(reinterpret_cast<const sockaddr*>(&storage)));
  EXPECT_FALSE(SocketAddress::from(nullptr));
}

}  // namespace
}  // namespace hawser
