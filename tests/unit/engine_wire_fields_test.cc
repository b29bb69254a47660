#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "engine/wire.h"
#include "support/engine_frames.h"

namespace hawser::engine::wire {
namespace {

using namespace test::engine_wire;
using ::testing::HasSubstr;
using Bytes = std::vector<std::byte>;
using ::testing::StartsWith;

constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t kPayloadAt = kFrameHeaderBytes + layout::record::kHeaderBytes;

// The frame of `record` with so many bytes more or less at its end, all lengths being right.
Bytes resized_record(const Record& record, int change) {
  Bytes frame = frame_of(record);
  frame.resize(static_cast<std::size_t>(static_cast<int>(frame.size()) + change));
  store_le(frame.data() + layout::frame::kLength.offset, static_cast<std::uint32_t>(frame.size()));
  store_le(frame.data() + kFrameHeaderBytes + layout::record::kLength.offset,
           static_cast<std::uint32_t>(frame.size() - kPayloadAt));
  return frame;
}

TEST(EngineWireRecord, HeaderIsCheckedFieldByField) {
  const Record stop = Stop{1};
  EXPECT_EQ(frame_error(altered_byte(stop, 16, 28)), "a record of unknown type 28");
  EXPECT_EQ(frame_error(altered_byte(stop, 17, 1)), "a record of unknown type 266");
  EXPECT_EQ(frame_error(altered_byte(stop, 18, 1)), "a Stop with unknown flags 0x1");
  EXPECT_EQ(frame_error(altered_byte(sample_write(), 18, 7)),
            "a WriteChunk with unknown flags 0x4");
  EXPECT_EQ(frame_error(altered_byte(sample_write(), 19, 0x80)),
            "a WriteChunk with unknown flags 0x8000");
  EXPECT_EQ(frame_error(altered_byte(stop, 20, 9)), "a Stop of 9 bytes where its frame has 8 left");
  EXPECT_EQ(frame_error(altered_byte(stop, 23, 0x80)),
            "a Stop of 2147483656 bytes where its frame has 8 left");
  EXPECT_EQ(frame_error(altered_byte(stop, 20, 7)),
            "a Stop of 7 bytes, too short for its sender_op");
}

TEST(EngineWireRecord, KnowsNoOtherFlags) {
  const std::vector<std::uint16_t> known = {0, 3, 1, 0, 0, 1};
  const auto all = one_record_of_each();
  for (std::size_t i = 0; i < all.size(); ++i)
    for (int bit = 0; bit < 16; ++bit) {
      const std::uint16_t flag = static_cast<std::uint16_t>(1 << bit);
      if (i < known.size() && (known[i] & flag) != 0) continue;
      if (std::holds_alternative<ChannelOffer>(all[i]) && flag == 1) continue;
      Bytes frame = frame_of(all[i]);
      frame[18 + static_cast<std::size_t>(bit) / 8] |= std::byte{1} << (bit % 8);
      EXPECT_THAT(frame_error(frame), HasSubstr("with unknown flags")) << record_name(all[i]);
    }
}

TEST(EngineWireRecord, NeitherShorterNorLongerThanItsFields) {
  for (const Record& record : one_record_of_each()) {
    const bool takes_the_rest =
        std::holds_alternative<Begin>(record) || std::holds_alternative<Notify>(record);
    EXPECT_EQ(frame_error(resized_record(record, 1)) == "", takes_the_rest) << record_name(record);
    const int payload = static_cast<int>(frame_of(record).size() - kPayloadAt);
    for (int less = 1; less <= payload; ++less) {
      const bool still_right = takes_the_rest && less <= static_cast<int>(sample_data().size());
      EXPECT_EQ(frame_error(resized_record(record, -less)) == "", still_right)
          << record_name(record) << " less " << less;
    }
  }
}

TEST(EngineWireRecord, WriteChunkFieldsAreChecked) {
  namespace at = layout::write_chunk;
  const Record chunk = sample_write();
  EXPECT_EQ(frame_error(altered_record(chunk, at::kBytes, 0u)),
            "a WriteChunk with bytes = 0, want 1 to 4194304");
  EXPECT_EQ(frame_error(altered_record(chunk, at::kBytes, kMaxChunkBytes + 1)),
            "a WriteChunk with bytes = 4194305, want 1 to 4194304");
  EXPECT_EQ(frame_error(altered_record(chunk, at::kBytes, 99u)),
            "a WriteChunk with bytes = 99 and pieces of 100");
  EXPECT_EQ(frame_error(altered_record(chunk, at::kPieces, std::uint16_t{0})),
            "a WriteChunk with pieces = 0, want 1 to 512");
  EXPECT_EQ(frame_error(altered_record(chunk, at::kPieces, std::uint16_t{513})),
            "a WriteChunk with pieces = 513, want 1 to 512");
  EXPECT_EQ(frame_error(altered_record(chunk, at::kPieces, std::uint16_t{400})),
            "a WriteChunk of 154 bytes, too short for its pieces");
}

TEST(EngineWireRecord, PiecesAreChecked) {
  const std::size_t second = layout::write_chunk::kFixedBytes + Pieces::kEncodedBytes;
  const layout::U64 offset{second};
  const layout::U32 bytes{second + 8};
  const Record chunk = sample_write();
  EXPECT_EQ(frame_error(altered_record(chunk, bytes, 0u)),
            "a WriteChunk whose pieces[1] is of 0 bytes");
  EXPECT_EQ(frame_error(altered_record(chunk, offset, kLast - 39)),
            "a WriteChunk whose pieces[1] ends beyond 64 bits");
  EXPECT_EQ(frame_error(altered_record(chunk, offset, kLast - 40)), "");
  // A sum of 32 bits would be right.
  const std::vector<Piece> round = {{0, 0x8000'0000}, {0, 0x8000'0000}, {0, 5}};
  EXPECT_EQ(frame_error(frame_of(WriteChunk{1, false, {}, 5, round, {}, {}})),
            "a WriteChunk with bytes = 5 and pieces of 4294967301");
}

TEST(EngineWireRecord, InlineDataIsChecked) {
  const std::uint32_t bytes = kMaxInlineBytes + 1;
  const Bytes data = numbered_bytes(bytes);
  const std::vector<Piece> pieces = {{0, bytes}};
  EXPECT_EQ(frame_error(frame_of(WriteChunk{1, false, {}, bytes, pieces, {}, data})),
            "a WriteChunk with data of 8193 bytes, at most 8192");
  EXPECT_EQ(frame_error(frame_of(ReplyChunk{1, 2, bytes, data})),
            "a ReplyChunk with data of 8193 bytes, at most 8192");
  EXPECT_EQ(frame_error(frame_of(ReplyChunk{1, 2, 99, sample_data()})),
            "a ReplyChunk of 120 bytes where its fields take 119");
  EXPECT_EQ(frame_error(frame_of(ReplyChunk{1, 2, 101, sample_data()})),
            "a ReplyChunk of 120 bytes, too short for its data");
  // Data that is there and was not announced.
  EXPECT_EQ(frame_error(altered_byte(ReplyChunk{1, 2, 100, sample_data()}, 18, 0)),
            "a ReplyChunk of 120 bytes where its fields take 20");
  EXPECT_EQ(frame_error(altered_byte(ReplyChunk{1, 2, 100, {}}, 18, 1)),
            "a ReplyChunk of 20 bytes, too short for its data");
}

TEST(EngineWireRecord, OffsetsEndWithin64Bits) {
  EXPECT_EQ(frame_error(frame_of(ReplyChunk{1, kLast - 4, 5, {}})),
            "a ReplyChunk with offset = 18446744073709551611, whose 5 bytes end beyond 64 bits");
  EXPECT_EQ(frame_error(frame_of(ReplyChunk{1, kLast - 5, 5, {}})), "");
}

TEST(EngineWireRecord, ChunksAndRequestsHaveBytes) {
  EXPECT_EQ(frame_error(frame_of(ReplyChunk{1, 2, 0, {}})),
            "a ReplyChunk with bytes = 0, want 1 to 4194304");
  EXPECT_EQ(frame_error(frame_of(ReplyChunk{1, 2, kMaxChunkBytes + 1, {}})),
            "a ReplyChunk with bytes = 4194305, want 1 to 4194304");
  EXPECT_EQ(frame_error(frame_of(ReadRequest{})), "a ReadRequest with pieces = 0, want 1 to 512");
  const std::vector<Piece> many(kMaxPieces + 1, {0, 1});
  EXPECT_EQ(frame_error(frame_of(ReadRequest{1, {}, many, {}})),
            "a ReadRequest with pieces = 513, want 1 to 512");
}

TEST(EngineWireRecord, SendFieldsAreChecked) {
  EXPECT_EQ(frame_error(frame_of(Send{1, 2, 0, false, {}})),
            "a Send with total = 0, want 1 to 18446744073709551615");
  EXPECT_EQ(frame_error(frame_of(Send{1, 2, kMaxInlineBytes + 1, true, {}})),
            "a Send with total = 8193, want 0 to 8192");
  EXPECT_EQ(frame_error(frame_of(Send{1, 2, 101, true, sample_data()})),
            "a Send of 124 bytes, too short for its data");
  EXPECT_EQ(frame_error(frame_of(Send{1, 2, 99, true, sample_data()})),
            "a Send of 124 bytes where its fields take 123");
  EXPECT_EQ(frame_error(altered_byte(Send{1, 2, 100, true, sample_data()}, 18, 0)),
            "a Send of 124 bytes where its fields take 24");
}

TEST(EngineWireRecord, NotificationsAreBounded) {
  const Bytes text = numbered_bytes(kMaxNotification + 1);
  EXPECT_EQ(frame_error(frame_of(Begin{1, 2, text})),
            "a Begin with notification of 4097 bytes, at most 4096");
  EXPECT_EQ(frame_error(frame_of(Notify{text})), "a Notify with text of 4097 bytes, at most 4096");
}

TEST(EngineWireRecord, CodesAndChannelsAreChecked) {
  const Record fault = Fault{1, Code::data, "text"};
  for (const std::uint16_t code : {0, 11, 256, 65535})
    EXPECT_EQ(frame_error(altered_record(fault, layout::fault::kCode, code)),
              fmt::format("a Fault with code = {}, want 1 to 10", code));
  EXPECT_EQ(frame_error(frame_of(ChannelDown{kMaxChannels, 2, 3, 4, "x"})),
            "a ChannelDown with channel = 1024, want 0 to 1023");
  EXPECT_EQ(frame_error(frame_of(ChannelOffer{kMaxChannels, 2, {}})),
            "a ChannelOffer with channel = 1024, want 0 to 1023");
  EXPECT_EQ(frame_error(frame_of(ChannelOffer{1, 2, {}, false, 0, kMaxDevices})),
            "a ChannelOffer with server_device = 64, want 0 to 63");
  EXPECT_EQ(frame_error(frame_of(ChannelOffer{1, 2, {}, false, 0, 0, kMaxEndpoints})),
            "a ChannelOffer with client_endpoint = 4, want 0 to 3");
}

TEST(EngineWireRecord, HelloFieldsAreChecked) {
  namespace at = layout::hello;
  const Record hello = sample_hello();
  EXPECT_EQ(frame_error(altered_record(hello, at::kChunkBytes, 0u)),
            "a Hello with chunk_bytes = 0, want 1 to 4194304");
  EXPECT_NE(frame_error(altered_record(hello, at::kChunkBytes, kMaxChunkBytes + 1)), "");
  EXPECT_EQ(frame_error(altered_record(hello, at::kChannelsPerDevice, 1025u)),
            "a Hello with channels_per_device = 1025, want 0 to 1024");
  for (const std::uint16_t devices : {0, 65, 65535})
    EXPECT_THAT(frame_error(altered_record(hello, at::kDevices, devices)),
                StartsWith(fmt::format("a Hello with devices = {}, want 1 to 64", devices)));
  EXPECT_THAT(frame_error(altered_record(hello, at::kDevices, std::uint16_t{3})),
              HasSubstr("too short for its"));
  EXPECT_NE(frame_error(altered_record(hello, at::kDevices, std::uint16_t{1})), "");
  Hello strange = sample_hello();
  strange.devices[0].endpoints = {{7, 24, 1, {}}};
  EXPECT_THAT(frame_error(frame_of(strange)), HasSubstr("family = 7"));
  Hello nameless = sample_hello();
  nameless.transport.clear();
  EXPECT_EQ(frame_error(frame_of(nameless)), "a Hello without a transport");
}

TEST(EngineWireRecord, WelcomeFieldsAreChecked) {
  namespace at = layout::welcome;
  const Record welcome = sample_welcome();
  EXPECT_NE(frame_error(altered_record(welcome, at::kChunkBytes, 0u)), "");
  EXPECT_NE(frame_error(altered_record(welcome, at::kChunkBytes, kMaxChunkBytes + 1)), "");
  for (const std::uint16_t devices : {0, 65})
    EXPECT_THAT(frame_error(altered_record(welcome, at::kDevices, devices)),
                HasSubstr("with devices ="));
  for (const std::uint16_t channels : {0, 1025})
    EXPECT_THAT(frame_error(altered_record(welcome, at::kChannels, channels)),
                HasSubstr("with channels ="));
  Welcome wrong = sample_welcome();
  wrong.channels[1] = {kMaxDevices, 0};
  EXPECT_EQ(frame_error(frame_of(wrong)), "a Welcome with client_device = 64, want 0 to 63");
  wrong.channels[1] = {0, 2};
  EXPECT_EQ(frame_error(frame_of(wrong)), "a Welcome with server_device = 2, want 0 to 1");
}

}  // namespace
}  // namespace hawser::engine::wire
