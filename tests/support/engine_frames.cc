#include "support/engine_frames.h"

#include <gtest/gtest.h>

namespace hawser::test::engine_wire {

std::vector<std::byte> numbered_bytes(std::size_t count, unsigned first) {
  std::vector<std::byte> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::byte>(first + i);
  return out;
}

Key key_of(int byte) {
  Key key;
  key.fill(static_cast<std::byte>(byte));
  return key;
}

std::vector<std::byte> frame_of(const std::vector<Record>& records) {
  std::vector<std::byte> buffer(kFrameBytes);
  FrameBuilder builder(buffer);
  for (const Record& record : records)
    EXPECT_TRUE(builder.add(record)) << record_name(record) << " does not fit";
  buffer.resize(builder.finish().size());
  return buffer;
}

std::vector<std::byte> frame_of(const Record& record) {
  return frame_of(std::vector<Record>{record});
}

Result<std::vector<Record>> records_of(const std::vector<std::byte>& frame) {
  std::vector<Record> out;
  auto opened = FrameReader::open(frame);
  if (!opened.ok()) return opened.error();
  for (;;) {
    auto next = opened->next();
    if (!next.ok()) return next.error();
    if (!next->has_value()) return out;
    out.push_back(std::move(**next));
  }
}

std::string frame_error(const std::vector<std::byte>& frame) {
  const auto records = records_of(frame);
  if (records.ok()) return "";
  EXPECT_EQ(records.error().code(), Code::protocol);
  return records.error().message();
}

std::vector<std::byte> altered_byte(const Record& record, std::size_t offset, std::uint8_t value) {
  auto frame = frame_of(record);
  frame[offset] = std::byte{value};
  return frame;
}

std::span<const std::byte> sample_data() {
  static const auto kData = numbered_bytes(100);
  return kData;
}

namespace {

constexpr Piece kTwoPieces[] = {{5, 60}, {1000, 40}};

}  // namespace

WriteChunk sample_write() {
  return {7, true, key_of(9), 100, kTwoPieces, {}, sample_data()};
}

ReadRequest sample_read() {
  return {7, key_of(9), kTwoPieces, {}};
}

Hello sample_hello() {
  return {key_of(1), 512 * 1024, 4, "host", "TCP", {{"eth0", 100'000}, {"eth1", 25'000}}};
}

Welcome sample_welcome() {
  return {key_of(1), key_of(2), 512 * 1024, "host", {{"eth0", 1}, {"eth1", 2}}, {{0, 0}, {63, 1}}};
}

std::vector<Record> one_record_of_each() {
  return {Ack{1, 2},
          sample_write(),
          ReplyChunk{1, 2, 100, sample_data()},
          Begin{1, 2, sample_data()},
          sample_read(),
          Send{1, 2, 100, true, sample_data()},
          Ready{1, 2},
          Finished{1},
          Fault{1, Code::data, "text"},
          Stop{1},
          Withdraw{1},
          Notify{sample_data()},
          Ping{},
          ChannelDown{1, 2, 3, 4, "reason"},
          ChannelOffer{1, 2, {}},
          Close{"reason"},
          sample_hello(),
          sample_welcome(),
          Refuse{"reason"},
          Up{},
          Heartbeat{},
          Order{1},
          Drain{key_of(3)},
          Drained{key_of(4)},
          Last{},
          Left{1, 2},
          Room{1, 2, 3}};
}

}  // namespace hawser::test::engine_wire
