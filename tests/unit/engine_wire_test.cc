#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "base/text.h"
#include "engine/wire.h"
#include "support/engine_frames.h"

namespace hawser::engine::wire {
namespace {

using namespace test::engine_wire;
using ::testing::HasSubstr;
using Bytes = std::vector<std::byte>;

constexpr std::uint64_t kMax64 = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint32_t kMax32 = std::numeric_limits<std::uint32_t>::max();

bool same_bytes(std::span<const std::byte> a, std::span<const std::byte> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

// A record as it comes out, with the frame that it views.
template <class T>
struct Received {
  Bytes frame;
  T record;
  const T* operator->() const { return &record; }
};

template <class T>
Received<T> over_the_wire(const T& record) {
  Received<T> out{frame_of(record), {}};
  EXPECT_EQ(out.frame.size(), kFrameHeaderBytes + encoded_bytes(record));
  const auto records = records_of(out.frame);
  EXPECT_TRUE(records.ok()) << records.error().message();
  if (!records.ok() || records->size() != 1) return out;
  EXPECT_TRUE(std::holds_alternative<T>(records->front()));
  out.record = std::get<T>(records->front());
  return out;
}

TEST(EngineWireRoundTrip, KeepsNumbersAtTheirLimits) {
  const auto ack = over_the_wire(Ack{kMax64, kMax64 - 1});
  EXPECT_EQ(ack->frames, kMax64);
  EXPECT_EQ(ack->chunks, kMax64 - 1);
  const auto ready = over_the_wire(Ready{kMax64, 0});
  EXPECT_EQ(ready->op, kMax64);
  EXPECT_EQ(ready->sender_op, 0u);
  EXPECT_EQ(over_the_wire(Finished{kMax64})->op, kMax64);
  EXPECT_EQ(over_the_wire(Stop{kMax64})->sender_op, kMax64);
  EXPECT_EQ(over_the_wire(Withdraw{kMax64})->sender_op, kMax64);
  over_the_wire(Ping{});
  over_the_wire(Up{});
  over_the_wire(Heartbeat{});
}

TEST(EngineWireRoundTrip, KeepsAWriteOfManyPiecesWithItsData) {
  std::vector<Piece> pieces(kMaxPieces, {kMax64 - 16, 16});
  const Bytes data = numbered_bytes(kMaxInlineBytes);
  const auto chunk =
      over_the_wire(WriteChunk{kMax64, true, key_of(3), kMaxInlineBytes, pieces, {}, data});
  EXPECT_EQ(chunk->sender_op, kMax64);
  EXPECT_TRUE(chunk->tracked);
  EXPECT_EQ(chunk->key, key_of(3));
  EXPECT_EQ(chunk->bytes, kMaxInlineBytes);
  EXPECT_TRUE(chunk->pieces.empty());
  ASSERT_EQ(chunk->decoded.size(), kMaxPieces);
  for (std::size_t i = 0; i < kMaxPieces; ++i) {
    EXPECT_EQ(chunk->decoded[i].offset, kMax64 - 16);
    EXPECT_EQ(chunk->decoded[i].bytes, 16u);
  }
  EXPECT_TRUE(same_bytes(chunk->data, data));
}

TEST(EngineWireRoundTrip, KeepsAWriteWhoseDataFollows) {
  const std::vector<Piece> pieces = {{kMax64 - kMaxChunkBytes, kMaxChunkBytes}};
  const auto chunk = over_the_wire(WriteChunk{0, false, {}, kMaxChunkBytes, pieces, {}, {}});
  EXPECT_FALSE(chunk->tracked);
  EXPECT_EQ(chunk->bytes, kMaxChunkBytes);
  ASSERT_EQ(chunk->decoded.size(), 1u);
  EXPECT_EQ(chunk->decoded[0].bytes, kMaxChunkBytes);
  EXPECT_TRUE(chunk->data.empty());
}

TEST(EngineWireRoundTrip, KeepsRepliesAndRequests) {
  const Bytes data = numbered_bytes(kMaxInlineBytes);
  const auto eager = over_the_wire(ReplyChunk{1, 2, kMaxInlineBytes, data});
  EXPECT_EQ(eager->op * 10 + eager->offset, 12u);
  EXPECT_TRUE(same_bytes(eager->data, data));
  const auto chunk = over_the_wire(ReplyChunk{1, kMax64 - kMaxChunkBytes, kMaxChunkBytes, {}});
  EXPECT_EQ(chunk->offset, kMax64 - kMaxChunkBytes);
  EXPECT_EQ(chunk->bytes, kMaxChunkBytes);
  EXPECT_TRUE(chunk->data.empty());
  const std::vector<Piece> pieces(kMaxPieces, {0, kMax32});
  const auto read = over_the_wire(ReadRequest{1, key_of(4), pieces, {}});
  EXPECT_EQ(read->sender_op, 1u);
  EXPECT_EQ(read->key, key_of(4));
  ASSERT_EQ(read->decoded.size(), kMaxPieces);
  EXPECT_EQ(read->decoded[kMaxPieces - 1].bytes, kMax32);
}

TEST(EngineWireRoundTrip, KeepsMessagesAndNotifications) {
  const Bytes data = numbered_bytes(kMaxInlineBytes);
  const auto eager = over_the_wire(Send{2, kMax64, kMaxInlineBytes, true, data});
  EXPECT_EQ(eager->sender_op, 2u);
  EXPECT_EQ(eager->tag, kMax64);
  EXPECT_TRUE(eager->eager);
  EXPECT_TRUE(same_bytes(eager->data, data));
  const auto large = over_the_wire(Send{1, 2, kMax64, false, {}});
  EXPECT_EQ(large->total, kMax64);
  EXPECT_FALSE(large->eager);
  EXPECT_EQ(over_the_wire(Send{1, 2, 0, true, {}})->total, 0u);
  const Bytes text = numbered_bytes(kMaxNotification);
  const auto begin = over_the_wire(Begin{1, kMax64, text});
  EXPECT_EQ(begin->sender_op, 1u);
  EXPECT_EQ(begin->total, kMax64);
  EXPECT_TRUE(same_bytes(begin->notification, text));
  EXPECT_TRUE(over_the_wire(Begin{1, 0, {}})->notification.empty());
  const auto notify = over_the_wire(Notify{text});
  EXPECT_TRUE(same_bytes(notify->text, text));
  EXPECT_EQ(over_the_wire(Drain{key_of(5)})->key, key_of(5));
  EXPECT_EQ(over_the_wire(Drained{key_of(6)})->key, key_of(6));
}

TEST(EngineWireRoundTrip, KeepsEveryCode) {
  for (int i = 0; i <= static_cast<int>(Code::internal); ++i) {
    const auto fault = over_the_wire(Fault{kMax64, static_cast<Code>(i), "why"});
    EXPECT_EQ(fault->op, kMax64);
    EXPECT_EQ(static_cast<int>(fault->code), i);
    EXPECT_EQ(fault->text, "why");
  }
}

TEST(EngineWireRoundTrip, KeepsWhatIsSaidOfChannels) {
  const std::string text(kMaxText, 'x');
  const auto down = over_the_wire(ChannelDown{kMaxChannels - 1, kMax32, kMax64, 5, text});
  EXPECT_EQ(down->channel, kMaxChannels - 1);
  EXPECT_EQ(down->generation, kMax32);
  EXPECT_EQ(down->frames, kMax64);
  EXPECT_EQ(down->chunks, 5u);
  EXPECT_EQ(down->reason, text);
  ChannelOffer offer{kMaxChannels - 1, 3, {}};
  for (std::size_t i = 0; i < kHandleBytes; ++i) offer.handle[i] = static_cast<std::byte>(i);
  const auto same = over_the_wire(offer);
  EXPECT_EQ(same->channel, offer.channel);
  EXPECT_EQ(same->generation, offer.generation);
  EXPECT_EQ(same->handle, offer.handle);
  EXPECT_EQ(over_the_wire(Close{text})->reason, text);
  EXPECT_EQ(over_the_wire(Close{})->reason, "");
  EXPECT_EQ(over_the_wire(Refuse{"héllo"})->reason, "héllo");
}

TEST(EngineWireRoundTrip, KeepsTheLargestHelloAndWelcome) {
  const std::string text(kMaxText, 'x');
  const std::vector<Device> devices(kMaxDevices, {std::string(kMaxNameBytes, 'd'), kMax32});
  const auto hello =
      over_the_wire(Hello{key_of(1), kMaxChunkBytes, kMaxChannels, text, text, devices});
  EXPECT_EQ(hello->engine, key_of(1));
  EXPECT_EQ(hello->chunk_bytes, kMaxChunkBytes);
  EXPECT_EQ(hello->channels_per_device, kMaxChannels);
  EXPECT_EQ(hello->host + hello->transport, text + text);
  ASSERT_EQ(hello->devices.size(), kMaxDevices);
  EXPECT_EQ(hello->devices.back().name, devices.back().name);
  EXPECT_EQ(hello->devices.back().speed_mbps, kMax32);
  const std::vector<ChannelPlan> channels(kMaxChannels, {kMaxDevices - 1, kMaxDevices - 2});
  const auto welcome = over_the_wire(Welcome{key_of(1), key_of(2), 1, text, devices, channels});
  EXPECT_EQ(welcome->engine, key_of(1));
  EXPECT_EQ(welcome->link, key_of(2));
  EXPECT_EQ(welcome->chunk_bytes, 1u);
  EXPECT_EQ(welcome->host, text);
  EXPECT_EQ(welcome->devices.size(), kMaxDevices);
  ASSERT_EQ(welcome->channels.size(), kMaxChannels);
  EXPECT_EQ(welcome->channels.back().client_device, kMaxDevices - 1);
  EXPECT_EQ(welcome->channels.back().server_device, kMaxDevices - 2);
}

TEST(EngineWireText, IsMadePrintableAndCutBetweenCharacters) {
  const std::string wild = "a\nb\x1b[2J\xff\xc3";
  EXPECT_EQ(over_the_wire(Close{wild})->reason, printable(wild));
  const std::string odd = "x" + std::string(kMaxText, '\0');
  EXPECT_EQ(over_the_wire(Close{odd})->reason, "x" + std::string(kMaxText - 1, '?'));
  std::string umlauts;
  for (std::size_t i = 0; i < kMaxText; ++i) umlauts += "ü";
  EXPECT_EQ(over_the_wire(Close{umlauts})->reason, umlauts.substr(0, kMaxText));
  EXPECT_EQ(over_the_wire(Close{"x" + umlauts})->reason, "x" + umlauts.substr(0, kMaxText - 2));
  Hello hello = sample_hello();
  hello.devices = {{"x" + umlauts, 1}};
  EXPECT_EQ(over_the_wire(hello)->devices[0].name, "x" + umlauts.substr(0, kMaxNameBytes - 2));
}

TEST(EngineWireText, ThatNobodySendsIsRefused) {
  const layout::U8 first{layout::kTextLengthBytes};
  for (const std::uint8_t wrong : {0x00, 0x0a, 0x1b, 0x7f, 0xc3, 0xff})
    EXPECT_EQ(frame_error(altered_record(Close{"reason"}, first, wrong)),
              "a Close whose reason is no printable UTF-8");
  EXPECT_EQ(frame_error(altered_record(Close{"reason"}, layout::U16{0}, std::uint16_t{513})),
            "a Close with reason of 513 bytes, at most 512");
  EXPECT_EQ(frame_error(altered_record(Close{"reason"}, layout::U16{0}, std::uint16_t{7})),
            "a Close of 8 bytes, too short for its reason");
  const layout::U16 name{layout::hello::kFixedBytes + 2 + 4 + 2 + 3 + 4};
  EXPECT_EQ(frame_error(altered_record(sample_hello(), name, std::uint16_t{65})),
            "a Hello with device's name of 65 bytes, at most 64");
}

}  // namespace
}  // namespace hawser::engine::wire
