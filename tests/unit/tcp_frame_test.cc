#include <gtest/gtest.h>

#include <random>

#include "tcp/frame.h"

namespace hawser::tcp {
namespace {

Result<FrameHeader> decode(const FrameBytes& bytes) {
  return decode_frame(std::span<const std::byte, kFrameBytes>(bytes));
}

TEST(TcpFrame, HasTheDocumentedBytes) {
  const FrameBytes bytes = encode_frame({FrameType::message, 0x01020304, 0x1122334455});
  const unsigned char expected[] = {'H', 'W', 'T', 'F', 1,    3,    0,    0,    4,    3, 2, 1,
                                    0,   0,   0,   0,   0x55, 0x44, 0x33, 0x22, 0x11, 0, 0, 0};
  static_assert(sizeof expected == kFrameBytes);
  for (std::size_t i = 0; i < kFrameBytes; ++i)
    EXPECT_EQ(std::to_integer<unsigned>(bytes[i]), expected[i]) << i;
}

TEST(TcpFrame, IsReadAsWritten) {
  for (const FrameHeader& header : {FrameHeader{FrameType::message, 7, 0},
                                    FrameHeader{FrameType::message, 0xffffffff, kMaxMessageBytes},
                                    FrameHeader{FrameType::hello, 0, kNonceBytes},
                                    FrameHeader{FrameType::welcome, 0, kNonceBytes},
                                    FrameHeader{FrameType::abort, 0, kMaxAbortTextBytes}}) {
    const auto read = decode(encode_frame(header));
    ASSERT_TRUE(read.ok()) << read.error().message();
    EXPECT_EQ(read->type, header.type);
    EXPECT_EQ(read->tag, header.tag);
    EXPECT_EQ(read->bytes, header.bytes);
  }
}

TEST(TcpFrame, WrongLengthsAreRefused) {
  for (const FrameHeader& header :
       {FrameHeader{FrameType::message, 0, kMaxMessageBytes + 1},
        FrameHeader{FrameType::hello, 0, kNonceBytes + 1}, FrameHeader{FrameType::welcome, 0, 0},
        FrameHeader{FrameType::abort, 0, kMaxAbortTextBytes + 1},
        FrameHeader{static_cast<FrameType>(0), 0, 0},
        FrameHeader{static_cast<FrameType>(5), 0, 0}}) {
    const auto read = decode(encode_frame(header));
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code(), Code::protocol);
  }
}

// Magic, version and the reserved bytes: no bit of them may differ.
TEST(TcpFrame, EveryBitOfTheFixedFieldsCounts) {
  const FrameBytes good = encode_frame({FrameType::message, 0, 100});
  for (const std::size_t at : {0, 1, 2, 3, 4, 6, 7, 12, 13, 14, 15})
    for (int bit = 0; bit < 8; ++bit) {
      FrameBytes bad = good;
      bad[at] ^= std::byte{1} << bit;
      const auto read = decode(bad);
      ASSERT_FALSE(read.ok()) << "byte " << at << " bit " << bit;
      EXPECT_EQ(read.error().code(), Code::protocol);
    }
}

TEST(TcpFrame, AnotherVersionSaysWhichOnes) {
  FrameBytes bytes = encode_frame({FrameType::message, 0, 0});
  bytes[4] = std::byte{9};
  EXPECT_EQ(decode(bytes).error().message(),
            "the peer speaks version 9 of the data protocol, this side version 1: use the same "
            "hawser on both");
}

TEST(TcpFrame, RandomBytesAreNeverAFrame) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 10000; ++i) {
    FrameBytes bytes;
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    bytes[0] = std::byte{0};  // not by a stroke of luck
    EXPECT_FALSE(decode(bytes).ok());
  }
}

TEST(TcpFrame, NoncesDiffer) {
  const auto one = make_nonce();
  const auto other = make_nonce();
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_NE(*one, *other);
}

}  // namespace
}  // namespace hawser::tcp
