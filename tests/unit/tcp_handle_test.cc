#include <gtest/gtest.h>

#include "net/tcp/handle.h"

namespace hawser::tcp {
namespace {

SocketAddress at(const char* address, std::uint16_t port) {
  return {IpAddress::parse(address).value(), port};
}

ListenerName name(std::vector<SocketAddress> addresses) {
  ListenerName made;
  made.addresses = std::move(addresses);
  for (std::size_t i = 0; i < kNonceBytes; ++i) made.nonce[i] = static_cast<std::byte>(0xa0 + i);
  return made;
}

TEST(TcpHandle, HasTheDocumentedBytes) {
  const Handle handle = encode_handle(name({at("192.0.2.7", 0x1234), at("192.0.3.8", 0x5678)}));
  const unsigned char expected[] = {'H',  'W',  'T',  'H',  2, 0, 4, 2,
                                    0x34, 0x12, 0x78, 0x56, 0, 0, 0, 0};
  for (std::size_t i = 0; i < sizeof expected; ++i)
    EXPECT_EQ(std::to_integer<unsigned>(handle[i]), expected[i]) << i;
  EXPECT_EQ(handle[16], std::byte{0xa0});
  EXPECT_EQ(handle[31], std::byte{0xaf});
  EXPECT_EQ(handle[32], std::byte{192});
  EXPECT_EQ(handle[35], std::byte{7});
  EXPECT_EQ(handle[36], std::byte{0});
  EXPECT_EQ(handle[48], std::byte{192});
  EXPECT_EQ(handle[51], std::byte{8});
  EXPECT_EQ(handle[64], std::byte{0});
}

TEST(TcpHandle, IsReadAsWritten) {
  for (const auto& addresses : std::vector<std::vector<SocketAddress>>{
           {at("127.0.0.1", 65535)},
           {at("2001:db8::7", 1), at("fe80::1", 2)},
           {at("192.0.2.1", 1), at("192.0.2.2", 2), at("192.0.2.3", 3), at("192.0.2.4", 4)}}) {
    const ListenerName given = name(addresses);
    const auto read = decode_handle(encode_handle(given));
    ASSERT_TRUE(read.ok()) << read.error().message();
    ASSERT_EQ(read->addresses.size(), addresses.size());
    for (std::size_t i = 0; i < addresses.size(); ++i)
      EXPECT_EQ(read->addresses[i].text(), addresses[i].text());
    EXPECT_EQ(read->nonce, given.nonce);
  }
}

TEST(TcpHandle, AScopeStaysAtHome) {
  ListenerName given = name({at("fe80::1", 80)});
  given.addresses[0].ip.scope = 7;
  EXPECT_EQ(decode_handle(encode_handle(given))->addresses[0].ip.scope, 0u);
}

TEST(TcpHandle, ForeignOnesAreRefused) {
  EXPECT_EQ(decode_handle(Handle{}).error().code(), Code::protocol);
  const Handle good = encode_handle(name({at("192.0.2.7", 80)}));
  for (const std::size_t i : {0, 3, 4, 5, 6, 7, 10, 15, 36, 47, 48, 96, 127}) {
    Handle bad = good;
    bad[i] ^= std::byte{0x10};
    const auto read = decode_handle(bad);
    ASSERT_FALSE(read.ok()) << "byte " << i;
    EXPECT_EQ(read.error().code(), Code::protocol);
  }
  EXPECT_FALSE(decode_handle(encode_handle(name({at("192.0.2.7", 0)}))).ok());
  EXPECT_FALSE(decode_handle(encode_handle(name({at("192.0.2.7", 9), at("192.0.2.8", 0)}))).ok());
}

}  // namespace
}  // namespace hawser::tcp
