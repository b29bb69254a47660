#include <gtest/gtest.h>

#include <random>

#include "net/tcp/frame.h"

namespace hawser::tcp {
namespace {

Result<FrameHeader> decode(const HeaderBytes& bytes) {
  return decode_header(std::span<const std::byte, kHeaderBytes>(bytes));
}

TEST(TcpFrame, HasTheDocumentedBytes) {
  const HeaderBytes bytes =
      encode_header({FrameType::piece, 0x01020304, 0x0a0b0c0d, 0x1122334455, 0x1122330000, 0x4455});
  const unsigned char expected[kHeaderBytes] = {
      'H',  'W',  'T',  'F',  3,    3,    0,    0,     // magic, version, type
      4,    3,    2,    1,    0x0d, 0x0c, 0x0b, 0x0a,  // tag, sequence
      0x55, 0x44, 0x33, 0x22, 0x11, 0,    0,    0,     // total
      0,    0,    0x33, 0x22, 0x11, 0,    0,    0,     // offset
      0x55, 0x44, 0,    0,    0,    0,    0,    0};    // bytes; the rest is reserved
  for (std::size_t i = 0; i < kHeaderBytes; ++i)
    EXPECT_EQ(std::to_integer<unsigned>(bytes[i]), expected[i]) << i;
}

TEST(TcpFrame, IsReadAsWritten) {
  for (const FrameHeader& header :
       {FrameHeader{FrameType::piece, 7, 1, 0, 0, 0},
        FrameHeader{FrameType::piece, 0xffffffff, 0xffffffff, kMaxMessageBytes, 0,
                    kMaxMessageBytes},
        FrameHeader{FrameType::piece, 1, 2, 100, 99, 1},
        FrameHeader{FrameType::hello, 0, kMaxFlows - 1, kMaxFlows, 0, kNonceBytes},
        FrameHeader{FrameType::welcome, 0, 0, 1, 0, kNonceBytes},
        FrameHeader{FrameType::abort, 0, 0, 0, 0, kMaxAbortTextBytes},
        FrameHeader{FrameType::flows, 0, 0, 3, 0, 0}}) {
    const auto read = decode(encode_header(header));
    ASSERT_TRUE(read.ok()) << read.error().message();
    EXPECT_EQ(*read, header);
  }
}

TEST(TcpFrame, WhatNoCorrectPeerSendsIsRefused) {
  for (const FrameHeader& header :
       {FrameHeader{FrameType::piece, 0, 0, kMaxMessageBytes + 1, 0, 1},
        FrameHeader{FrameType::piece, 0, 0, 100, 101, 1},
        FrameHeader{FrameType::piece, 0, 0, 100, 50, 51},
        FrameHeader{FrameType::piece, 0, 0, 100, 1, UINT64_MAX},
        FrameHeader{FrameType::piece, 0, 0, 100, UINT64_MAX, 100},
        FrameHeader{FrameType::piece, 0, 0, 100, 0, 0},
        FrameHeader{FrameType::hello, 0, 0, 1, 0, kNonceBytes + 1},
        FrameHeader{FrameType::hello, 0, kMaxFlows, 1, 0, kNonceBytes},
        FrameHeader{FrameType::hello, 0, 0, kMaxFlows + 1, 0, kNonceBytes},
        FrameHeader{FrameType::welcome, 0, 0, 0, 0, kNonceBytes},
        FrameHeader{FrameType::abort, 0, 0, 0, 0, kMaxAbortTextBytes + 1},
        FrameHeader{FrameType::flows, 0, 0, 0, 0, 0}, FrameHeader{FrameType::flows, 0, 0, 1, 0, 1},
        FrameHeader{static_cast<FrameType>(0), 0, 0, 0, 0, 0},
        FrameHeader{static_cast<FrameType>(6), 0, 0, 0, 0, 0}}) {
    const auto read = decode(encode_header(header));
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code(), Code::protocol);
  }
}

// Magic, version and the reserved bytes: no bit of them may differ.
TEST(TcpFrame, EveryBitOfTheFixedFieldsCounts) {
  const HeaderBytes good = encode_header({FrameType::piece, 0, 0, 100, 0, 100});
  for (const std::size_t at : {0, 1, 2, 3, 4, 6, 7, 40, 41, 50, 61})
    for (int bit = 0; bit < 8; ++bit) {
      HeaderBytes bad = good;
      bad[at] ^= std::byte{1} << bit;
      const auto read = decode(bad);
      ASSERT_FALSE(read.ok()) << "byte " << at << " bit " << bit;
      EXPECT_EQ(read.error().code(), Code::protocol);
    }
}

TEST(TcpFrame, AnotherVersionSaysWhichOnes) {
  HeaderBytes bytes = encode_header({FrameType::piece, 0, 0, 0, 0, 0});
  bytes[4] = std::byte{9};
  EXPECT_EQ(decode(bytes).error().message(),
            "the peer speaks version 9 of the data protocol, this side version 3: use the same "
            "hawser on both");
}

TEST(TcpFrame, RandomBytesAreNeverAFrame) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 10000; ++i) {
    HeaderBytes bytes;
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    bytes[0] = std::byte{0};  // not by a stroke of luck
    EXPECT_FALSE(decode(bytes).ok());
  }
}

TEST(TcpFrame, EveryFrameFillsItsUnitsAndHasATrailer) {
  for (std::uint64_t bytes = 0; bytes < 1000; ++bytes) {
    EXPECT_EQ(frame_bytes(bytes) % kFrameUnit, 0u) << bytes;
    EXPECT_GE(trailer_bytes(bytes), 2u) << bytes;
    EXPECT_LE(trailer_bytes(bytes), kMaxTrailerBytes) << bytes;
  }
}

TEST(TcpFrame, ATrailerSaysOneOfTwoThings) {
  EXPECT_EQ(*decode_trailer(std::byte{0}), DataState::good);
  EXPECT_EQ(*decode_trailer(std::byte{1}), DataState::is_void);
  for (int other = 2; other < 256; ++other)
    EXPECT_EQ(decode_trailer(static_cast<std::byte>(other)).error().code(), Code::protocol);
}

TEST(TcpFrame, AGreetingIsKnownFromItsBeginningWhateverTheFlow) {
  Nonce nonce{};
  nonce[3] = std::byte{7};
  const Greeting greeting = encode_greeting(FrameType::hello, nonce, 5, 9);
  for (std::size_t have = 0; have <= kGreetingBytes; ++have)
    EXPECT_TRUE(check_greeting(std::span(greeting).first(have), FrameType::hello, nonce).ok())
        << have;
  EXPECT_FALSE(check_greeting(greeting, FrameType::welcome, nonce).ok());
  EXPECT_FALSE(check_greeting(greeting, FrameType::hello, Nonce{}).ok());
}

TEST(TcpFrame, NoncesDiffer) {
  const auto one = make_nonce();
  const auto other = make_nonce();
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_NE(*one, *other);
}

}  // namespace
}  // namespace hawser::tcp
