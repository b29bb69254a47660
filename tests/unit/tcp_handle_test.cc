#include <gtest/gtest.h>

#include "tcp/handle.h"

namespace hawser::tcp {
namespace {

ListenerName name(const char* address, std::uint16_t port) {
  ListenerName made;
  made.address = {IpAddress::parse(address).value(), port};
  for (std::size_t i = 0; i < kNonceBytes; ++i) made.nonce[i] = static_cast<std::byte>(0xa0 + i);
  return made;
}

TEST(TcpHandle, HasTheDocumentedBytes) {
  const Handle handle = encode_handle(name("192.0.2.7", 0x1234));
  const unsigned char expected[] = {'H', 'W', 'T', 'H', 1, 0,   4, 0, 0x34, 0x12, 0,
                                    0,   0,   0,   0,   0, 192, 0, 2, 7,    0};
  for (std::size_t i = 0; i < sizeof expected; ++i)
    EXPECT_EQ(std::to_integer<unsigned>(handle[i]), expected[i]) << i;
  EXPECT_EQ(handle[32], std::byte{0xa0});
  EXPECT_EQ(handle[47], std::byte{0xaf});
  EXPECT_EQ(handle[48], std::byte{0});
}

TEST(TcpHandle, IsReadAsWritten) {
  for (const char* address : {"127.0.0.1", "2001:db8::7", "fe80::1"}) {
    const ListenerName given = name(address, 65535);
    const auto read = decode_handle(encode_handle(given));
    ASSERT_TRUE(read.ok()) << read.error().message();
    EXPECT_EQ(read->address.text(), given.address.text());
    EXPECT_EQ(read->nonce, given.nonce);
  }
}

TEST(TcpHandle, AScopeStaysAtHome) {
  ListenerName given = name("fe80::1", 80);
  given.address.ip.scope = 7;
  EXPECT_EQ(decode_handle(encode_handle(given))->address.ip.scope, 0u);
}

TEST(TcpHandle, ForeignOnesAreRefused) {
  EXPECT_EQ(decode_handle(Handle{}).error().code(), Code::protocol);
  const Handle good = encode_handle(name("192.0.2.7", 80));
  for (const std::size_t at : {0, 3, 4, 5, 6, 7, 10, 15, 20, 31, 48, 127}) {
    Handle bad = good;
    bad[at] ^= std::byte{0x10};
    const auto read = decode_handle(bad);
    ASSERT_FALSE(read.ok()) << "byte " << at;
    EXPECT_EQ(read.error().code(), Code::protocol);
  }
  EXPECT_FALSE(decode_handle(encode_handle(name("192.0.2.7", 0))).ok());
}

}  // namespace
}  // namespace hawser::tcp
