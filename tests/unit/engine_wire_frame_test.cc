#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "bootstrap/wire.h"
#include "engine/wire.h"
#include "support/engine_frames.h"

namespace hawser::engine::wire {
namespace {

using namespace test::engine_wire;
using ::testing::HasSubstr;
using Bytes = std::vector<std::byte>;

std::string hex_of(std::span<const std::byte> bytes) {
  std::string out;
  for (const std::byte byte : bytes) out += fmt::format("{:02x}", std::to_integer<int>(byte));
  return out;
}

std::string record_hex(const Record& record) {
  const Bytes frame = frame_of(record);
  return hex_of(std::span(frame).subspan(kFrameHeaderBytes));
}

// Without the spaces between fields.
std::string hex_digits(std::string text) {
  std::erase(text, ' ');
  return text;
}

// The bytes of the specification, written down by hand: they must never change.
TEST(EngineWireBytes, AreAsSpecified) {
  EXPECT_EQ(hex_of(frame_of({Ack{0x0102, 0x0304}, Ping{}})),
            hex_digits("48575346 0300 0200 30000000 00000000 0100 0000 10000000 0201000000000000 "
                       "0403000000000000 0d00 0000 00000000"));
}

TEST(EngineWireBytes, OfTheDataPathAreAsSpecified) {
  const std::vector<Piece> pieces = {{0x0a0b, 1}, {0x0c0d, 2}};
  const Bytes data = numbered_bytes(3, 0xf1);
  const std::string key = "22222222222222222222222222222222";
  EXPECT_EQ(record_hex(WriteChunk{1, true, key_of(0x22), 3, pieces, {}, data}),
            hex_digits("0200 0300 39000000 0100000000000000" + key +
                       "03000000 0200 0b0a000000000000 01000000 0d0c000000000000 02000000 f1f2f3"));
  EXPECT_EQ(record_hex(ReplyChunk{1, 2, 3, {}}),
            hex_digits("0300 0000 14000000 0100000000000000 0200000000000000 03000000"));
  EXPECT_EQ(record_hex(ReplyChunk{1, 2, 3, data}),
            hex_digits("0300 0100 17000000 0100000000000000 0200000000000000 03000000 f1f2f3"));
  EXPECT_EQ(record_hex(Begin{1, 2, data}),
            hex_digits("0400 0000 13000000 0100000000000000 0200000000000000 f1f2f3"));
  EXPECT_EQ(
      record_hex(ReadRequest{1, key_of(0x22), std::span(pieces).first(1), {}}),
      hex_digits("0500 0000 26000000 0100000000000000" + key + "0100 0b0a000000000000 01000000"));
  EXPECT_EQ(record_hex(Send{1, 2, 3, true, data}),
            hex_digits("0600 0100 1b000000 0100000000000000 0200000000000000 0300000000000000 "
                       "f1f2f3"));
  EXPECT_EQ(record_hex(Ready{1, 2}),
            hex_digits("0700 0000 10000000 0100000000000000 0200000000000000"));
  EXPECT_EQ(record_hex(Finished{1}), hex_digits("0800 0000 08000000 0100000000000000"));
  EXPECT_EQ(record_hex(Fault{1, Code::internal, "no"}),
            hex_digits("0900 0000 0e000000 0100000000000000 0a00 0200 6e6f"));
  EXPECT_EQ(record_hex(Stop{1}), hex_digits("0a00 0000 08000000 0100000000000000"));
  EXPECT_EQ(record_hex(Withdraw{1}), hex_digits("0b00 0000 08000000 0100000000000000"));
  EXPECT_EQ(record_hex(Notify{data}), hex_digits("0c00 0000 03000000 f1f2f3"));
}

TEST(EngineWireBytes, OfChannelsAndLinksAreAsSpecified) {
  std::string handle;
  for (std::size_t i = 0; i < kHandleBytes; ++i) handle += "00";
  const std::string one = "01010101010101010101010101010101";
  const std::string two = "02020202020202020202020202020202";
  const std::string room = "0100000000000000 0200000000000000 0300000000000000";
  EXPECT_EQ(
      record_hex(ChannelDown{1, 2, 3, 4, "x"}),
      hex_digits("0e00 0000 1b000000 01000000 02000000 0300000000000000 0400000000000000 0100 78"));
  EXPECT_EQ(record_hex(ChannelOffer{1, 2, {}}),
            hex_digits("0f00 0000 8e000000 01000000 02000000" + handle + "0000 0000 00 00"));
  EXPECT_EQ(record_hex(ChannelOffer{1, 2, {}, true, 3, 4, 1, 2}),
            hex_digits("0f00 0100 8e000000 01000000 02000000" + handle + "0300 0400 01 02"));
  EXPECT_EQ(record_hex(Close{"x"}), hex_digits("1000 0000 03000000 0100 78"));
  const Endpoint endpoint{4, 24, 0x1234, {std::byte{10}, std::byte{1}, std::byte{2}, std::byte{3}}};
  EXPECT_EQ(
      record_hex(Hello{key_of(1), 5, 6, "h", "t", {{"ab", 7, {endpoint}}}, key_of(2), {1, 2, 3}}),
      hex_digits("1100 0000 66000000" + one +
                 "05000000 06000000 0100 0100 68 0100 74 07000000 0200 6162" + two +
                 "0100 04 18 3412 0a010203 000000000000000000000000" + room));
  EXPECT_EQ(
      record_hex(
          Welcome{key_of(1), key_of(2), 5, "h", {{"a", 7, {}}}, {{8, 0}}, key_of(1), {1, 2, 3}}),
      hex_digits("1200 0000 60000000" + one + two +
                 "05000000 0100 0100 0100 68 07000000 0100 61 0800 0000" + one + "0000" + room));
  EXPECT_EQ(record_hex(Refuse{"x"}), hex_digits("1300 0000 03000000 0100 78"));
  EXPECT_EQ(record_hex(Up{}), hex_digits("1400 0000 00000000"));
  EXPECT_EQ(record_hex(Heartbeat{}), hex_digits("1500 0000 00000000"));
  EXPECT_EQ(record_hex(Order{1}), hex_digits("1600 0000 08000000"
                                             "0100000000000000"));
  EXPECT_EQ(record_hex(Drain{key_of(1)}), hex_digits("1700 0000 10000000" + one));
  EXPECT_EQ(record_hex(Drained{key_of(2)}), hex_digits("1800 0000 10000000" + two));
  EXPECT_EQ(record_hex(Last{}), hex_digits("1900 0000 00000000"));
  EXPECT_EQ(record_hex(Left{1, 2}), hex_digits("1a00 0000 08000000 01000000 02000000"));
  EXPECT_EQ(record_hex(Room{1, 2, 3}), hex_digits("1b00 0000 18000000" + room));
}

TEST(EngineWireFrame, HoldsOneOfEachInOrder) {
  const auto all = one_record_of_each();
  ASSERT_EQ(all.size(), std::variant_size_v<Record>);
  const Bytes frame = frame_of(all);
  const auto records = records_of(frame);
  ASSERT_TRUE(records.ok()) << records.error().message();
  ASSERT_EQ(records->size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ((*records)[i].index(), i);
  EXPECT_STREQ(record_name(all[1]), "WriteChunk");
  EXPECT_STREQ(record_name(all.back()), "Room");
}

TEST(EngineWireFrame, MayLieAnywhereInMemory) {
  const Bytes frame = frame_of(one_record_of_each());
  for (std::size_t shift = 1; shift < 8; ++shift) {
    Bytes moved(shift + frame.size());
    std::copy(frame.begin(), frame.end(), moved.begin() + static_cast<std::ptrdiff_t>(shift));
    auto reader = FrameReader::open(std::span(moved).subspan(shift));
    ASSERT_TRUE(reader.ok());
    std::size_t count = 0;
    for (auto next = reader->next(); next.ok() && next->has_value(); next = reader->next()) ++count;
    EXPECT_EQ(count, std::variant_size_v<Record>);
  }
}

TEST(EngineWireFrame, IsFilledToTheBrim) {
  Bytes buffer(kFrameBytes + 1, std::byte{0xa5});
  FrameBuilder builder(buffer);
  EXPECT_TRUE(builder.empty());
  std::size_t count = 0;
  while (builder.add(Ping{})) ++count;
  EXPECT_EQ(count, (kFrameBytes - kFrameHeaderBytes) / 8);
  EXPECT_EQ(builder.room(), 0u);
  EXPECT_FALSE(builder.add(Finished{1}));
  const auto frame = builder.finish();
  EXPECT_EQ(frame.size(), kFrameBytes);
  EXPECT_EQ(buffer.back(), std::byte{0xa5});
  const auto records = records_of(Bytes(frame.begin(), frame.end()));
  ASSERT_TRUE(records.ok()) << records.error().message();
  EXPECT_EQ(records->size(), count);
}

TEST(EngineWireFrame, TakesNothingThatDoesNotFitWhole) {
  Bytes buffer(kFrameBytes);
  FrameBuilder builder(buffer);
  const Bytes notification = numbered_bytes(kMaxNotification);
  while (builder.add(Notify{notification})) {
  }
  const std::size_t room = builder.room();
  EXPECT_LT(room, encoded_bytes(Notify{notification}));
  const std::size_t rest = room - encoded_bytes(Notify{});
  for (const Record& record : one_record_of_each()) {
    const bool fits = encoded_bytes(record) <= room;
    FrameBuilder copy = builder;
    EXPECT_EQ(copy.add(record), fits) << record_name(record);
    EXPECT_EQ(copy.room(), fits ? room - encoded_bytes(record) : room);
  }
  EXPECT_FALSE(builder.add(Notify{std::span(notification).first(rest + 1)}));
  EXPECT_TRUE(builder.add(Notify{std::span(notification).first(rest)}));
  EXPECT_EQ(builder.room(), 0u);
  const auto frame = builder.finish();
  EXPECT_TRUE(records_of(Bytes(frame.begin(), frame.end())).ok());
}

TEST(EngineWireFrame, HeaderIsCheckedFieldByField) {
  const Record beat = Heartbeat{};
  EXPECT_THAT(frame_error(altered_byte(beat, 0, 'X')), HasSubstr("not hawser"));
  EXPECT_EQ(frame_error(altered_byte(beat, 4, 9)), "protocol version 9, this side speaks 3");
  EXPECT_EQ(frame_error(altered_byte(beat, 6, 0)), "a frame without records");
  EXPECT_EQ(frame_error(altered_byte(beat, 6, 2)), "a frame that ends where 1 records are missing");
  EXPECT_EQ(frame_error(altered_byte(beat, 8, 15)), "a frame with length = 15, want 16 to 16384");
  EXPECT_EQ(frame_error(altered_byte(beat, 11, 0x80)),
            "a frame with length = 2147483672, want 16 to 16384");
  EXPECT_EQ(frame_error(altered_byte(beat, 8, 25)),
            "24 bytes where the frame's header announced 25");
  EXPECT_EQ(frame_error(altered_byte(beat, 8, 23)),
            "24 bytes where the frame's header announced 23");
  EXPECT_EQ(frame_error(altered_byte(beat, 12, 1)),
            "a frame whose reserved header field is not zero");
  EXPECT_EQ(frame_error(Bytes(15)), "15 bytes where a frame's header takes 16");
}

TEST(EngineWireFrame, LengthIsToldByItsHeader) {
  const Bytes frame = frame_of(one_record_of_each());
  const auto length = frame_length(std::span(frame).first<kFrameHeaderBytes>());
  ASSERT_TRUE(length.ok());
  EXPECT_EQ(*length, frame.size());
}

TEST(EngineWireFrame, TellsWhoElseTalks) {
  const std::string request = "GET / HTTP/1.1\r\n\r\n";
  const auto* bytes = reinterpret_cast<const std::byte*>(request.data());
  EXPECT_EQ(frame_error(Bytes(bytes, bytes + request.size())), "an HTTP request, not hawser");
  EXPECT_EQ(frame_error(hawser::wire::encode(hawser::wire::Heartbeat{})),
            "a validation or a measurement of hawser, not an engine");
}

TEST(EngineWireFrame, RefuseIsUnderstoodInAnyVersion) {
  const Bytes frame = altered_byte(Refuse{"this side speaks 4"}, 4, 4);
  const auto records = records_of(frame);
  ASSERT_TRUE(records.ok()) << records.error().message();
  EXPECT_EQ(std::get<Refuse>(records->front()).reason, "this side speaks 4");
  Bytes two = frame_of({Refuse{"x"}, Ping{}});
  two[4] = std::byte{4};
  EXPECT_EQ(frame_error(two), "protocol version 4, this side speaks 3");
  Bytes cut = altered_byte(Refuse{"x"}, 4, 4);
  cut.resize(20);
  cut[8] = std::byte{20};
  EXPECT_EQ(frame_error(cut), "protocol version 4, this side speaks 3");
}

TEST(EngineWireFrame, RecordsFillItExactly) {
  Bytes frame = frame_of({Ping{}, Ping{}});
  frame[6] = std::byte{1};
  EXPECT_EQ(frame_error(frame), "a frame with 8 bytes behind its records");
  frame[6] = std::byte{2};
  frame.resize(frame.size() - 1);
  frame[8] = std::byte{31};
  EXPECT_EQ(frame_error(frame), "a frame that ends where 1 records are missing");
}

TEST(EngineWireFrame, StaysWrongOnceItIs) {
  const Bytes frame = altered_byte(Stop{1}, kFrameHeaderBytes, 0);
  auto reader = FrameReader::open(frame);
  ASSERT_TRUE(reader.ok());
  for (int i = 0; i < 3; ++i) {
    const auto next = reader->next();
    ASSERT_FALSE(next.ok());
    EXPECT_EQ(next.error().message(), "a record of unknown type 0");
  }
}

}  // namespace
}  // namespace hawser::engine::wire
