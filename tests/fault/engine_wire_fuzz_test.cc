// Random, mutated and cut frames of the engine: never a read outside the frame, and what is wrong
// is Code::protocol. HAWSER_TEST_SEED=n runs the same ones again.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/endian.h"
#include "engine/wire.h"
#include "support/seed.h"
#include "support/wire_layout.h"

namespace hawser::engine::wire {
namespace {

using Bytes = std::vector<std::byte>;

constexpr int kFrames = 40'000;
constexpr std::size_t kVersionAt = layout::frame::kVersionField.offset;

// Makes good frames, and spoils them. Records view its memory. Not thread-safe.
class FuzzedFrames {
 public:
  explicit FuzzedFrames(std::uint64_t seed) : random_(seed), data_(kMaxInlineBytes) {
    for (std::byte& byte : data_) byte = static_cast<std::byte>(random_());
  }

  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  // Up to a dozen records; with luck as many as there is room for.
  Bytes good() {
    Bytes buffer(kFrameBytes);
    FrameBuilder builder(buffer);
    const std::size_t limit = below(20) == 0 ? 10'000 : 1 + below(12);
    for (std::size_t i = 0; i < limit || builder.empty(); ++i)
      if (!add_one(builder)) break;
    buffer.resize(builder.finish().size());
    return buffer;
  }
  Bytes spoiled() {
    Bytes frame = good();
    switch (below(5)) {
      case 0:
        frame.resize(below(frame.size()));
        if (below(2) == 0) mend_length(frame);
        return frame;
      case 1:
        return behind_a_header();
      default:
        for (std::size_t n = 1 + below(3); n > 0; --n) change_one(frame);
        if (below(8) != 0) mend_length(frame);
        return frame;
    }
  }

 private:
  std::uint64_t number() { return random_() >> below(64); }
  std::span<const std::byte> data(std::size_t most) { return std::span(data_).first(below(most)); }
  Key key() {
    Key key;
    for (std::byte& byte : key) byte = static_cast<std::byte>(random_());
    return key;
  }
  std::string_view text() {
    text_.assign(below(below(4) == 0 ? 2 * kMaxText : 20), 'x');
    for (char& character : text_)
      if (below(4) == 0) character = static_cast<char>(random_());
    return text_;
  }
  std::span<const Piece> pieces(std::uint32_t bytes) {
    pieces_.clear();
    const std::uint32_t most = 1 + static_cast<std::uint32_t>(below(bytes));
    while (bytes > 0) {
      const bool last = pieces_.size() + 1 == kMaxPieces;
      const std::uint32_t part = last ? bytes : std::min(bytes, most);
      pieces_.push_back({number() / 2, part});
      bytes -= part;
    }
    return pieces_;
  }

  bool add_one(FrameBuilder& builder) {
    switch (below(9)) {
      case 0:
        return builder.add(write_chunk());
      case 1:
        return builder.add(reply_chunk());
      case 2:
        return builder.add(ReadRequest{number(), key(), pieces(some_bytes()), {}});
      case 3:
        return builder.add(send());
      case 4:
        return builder.add(Begin{number(), number(), data(200)});
      case 5:
        return builder.add(about_operations());
      case 6:
        return builder.add(about_channels());
      default:
        return builder.add(about_links());
    }
  }
  std::uint32_t some_bytes() { return 1 + static_cast<std::uint32_t>(below(kMaxChunkBytes)); }
  Record write_chunk() {
    WriteChunk chunk{number(), below(2) == 0, key(), some_bytes(), {}, {}, {}};
    if (below(2) == 0) chunk.data = std::span(data_).first(1 + below(300));
    if (!chunk.data.empty()) chunk.bytes = static_cast<std::uint32_t>(chunk.data.size());
    chunk.pieces = pieces(chunk.bytes);
    return chunk;
  }
  Record reply_chunk() {
    const auto bytes = data(300);
    const bool here = !bytes.empty();
    return ReplyChunk{number(), number() / 2,
                      here ? static_cast<std::uint32_t>(bytes.size()) : some_bytes(), bytes};
  }
  Record send() {
    const bool eager = below(2) == 0;
    const auto bytes = eager ? data(300) : std::span<const std::byte>();
    return Send{number(), number(), eager ? bytes.size() : 1 + number() / 2, eager, bytes};
  }
  Record about_operations() {
    switch (below(9)) {
      case 0:
        return Ack{number(), number()};
      case 1:
        return Ready{number(), number()};
      case 2:
        return Finished{number()};
      case 3:
        return Fault{number(), static_cast<Code>(below(10)), text()};
      case 4:
        return Stop{number()};
      case 5:
        return Withdraw{number()};
      case 6:
        return Drain{key()};
      case 7:
        return Drained{key()};
      default:
        return Notify{data(200)};
    }
  }
  std::uint32_t channel() { return static_cast<std::uint32_t>(below(kMaxChannels)); }
  Record about_channels() {
    switch (below(4)) {
      case 0:
        return ChannelDown{channel(), channel(), number(), number(), text()};
      case 1:
        return ChannelOffer{channel(),
                            channel(),
                            {},
                            below(2) == 0,
                            static_cast<std::uint16_t>(below(kMaxDevices)),
                            static_cast<std::uint16_t>(below(kMaxDevices)),
                            static_cast<std::uint8_t>(below(kMaxEndpoints)),
                            static_cast<std::uint8_t>(below(kMaxEndpoints))};
      case 2:
        return room();
      default:
        return Ping{};
    }
  }
  Room room() { return {number(), number(), number()}; }
  std::vector<Endpoint> endpoints() {
    std::vector<Endpoint> out(below(kMaxEndpoints + 1));
    for (Endpoint& endpoint : out)
      endpoint = {static_cast<std::uint8_t>(below(2) == 0 ? 4 : 6),
                  static_cast<std::uint8_t>(below(129)), static_cast<std::uint16_t>(below(65536)),
                  key()};
    return out;
  }
  std::vector<Device> devices() {
    std::vector<Device> out(1 + below(4));
    for (Device& device : out) device = {std::string(text()), channel(), endpoints()};
    return out;
  }
  Record about_links() {
    switch (below(6)) {
      case 0:
        return Hello{key(), some_bytes(), channel(), std::string(text()),
                     "TCP", devices(),    key(),     room()};
      case 1: {
        Welcome welcome{key(),     key(), some_bytes(), std::string(text()),
                        devices(), {},    key(),        room()};
        welcome.channels.resize(1 + below(10));
        for (ChannelPlan& plan : welcome.channels)
          plan = {static_cast<std::uint16_t>(below(kMaxDevices)),
                  static_cast<std::uint16_t>(below(welcome.devices.size()))};
        return welcome;
      }
      case 2:
        return Refuse{text()};
      case 3:
        return Close{text()};
      case 4:
        return Up{};
      default:
        return Heartbeat{};
    }
  }

  static void mend_length(Bytes& frame) {
    if (frame.size() >= kFrameHeaderBytes)
      store_le(frame.data() + layout::frame::kLength.offset,
               static_cast<std::uint32_t>(frame.size()));
  }
  // Right headers, and behind them noise of nearly the right length.
  Bytes behind_a_header() {
    Bytes frame(kFrameHeaderBytes + layout::record::kHeaderBytes + below(300));
    FrameBuilder(frame).finish();
    store_le(frame.data() + layout::frame::kRecords.offset, std::uint16_t{1});
    for (std::size_t i = kFrameHeaderBytes; i < frame.size(); ++i)
      frame[i] = below(3) == 0 ? static_cast<std::byte>(random_()) : std::byte{0};
    std::byte* const record = frame.data() + kFrameHeaderBytes;
    store_le(record + layout::record::kType.offset, static_cast<std::uint16_t>(below(29)));
    store_le(record + layout::record::kFlags.offset, static_cast<std::uint16_t>(below(4)));
    store_le(record + layout::record::kLength.offset,
             static_cast<std::uint32_t>(frame.size() - kFrameHeaderBytes -
                                        layout::record::kHeaderBytes + below(20) / 19));
    mend_length(frame);
    return frame;
  }
  void change_one(Bytes& frame) {
    const std::size_t near = below(2) == 0 ? std::min<std::size_t>(frame.size(), 80) : frame.size();
    const std::size_t at = below(near);
    const auto there = frame.begin() + static_cast<std::ptrdiff_t>(at);
    switch (below(5)) {
      case 0:
        frame[at] ^= std::byte{1} << below(8);
        break;
      case 1:
        frame[at] = static_cast<std::byte>(random_());
        break;
      case 2:
        frame[at] = below(2) == 0 ? std::byte{0} : std::byte{0xff};
        break;
      case 3:
        frame.insert(there, static_cast<std::byte>(random_()));
        break;
      default:
        if (frame.size() > 1) frame.erase(there);
    }
  }

  std::mt19937_64 random_;
  Bytes data_;
  std::string text_;
  std::vector<Piece> pieces_;
};

// Reads every byte that a record views, and makes it ready to be sent again.
class Rereader {
 public:
  template <class T>
  Record again(T record) {
    if constexpr (requires { record.decoded; }) {
      pieces_.clear();
      for (std::size_t i = 0; i < record.decoded.size(); ++i) pieces_.push_back(record.decoded[i]);
      record.pieces = pieces_;
    }
    return record;
  }

 private:
  std::vector<Piece> pieces_;
};

struct FuzzOutcome {
  bool right = false;
  std::size_t records = 0;
};

// Reads a frame from memory of exactly its size. If all of it is right, its records make the very
// same frame again.
FuzzOutcome read_all(const Bytes& bytes) {
  const auto memory = std::make_unique<std::byte[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), memory.get());
  const std::span<const std::byte> frame(memory.get(), bytes.size());
  FuzzOutcome out;
  auto reader = FrameReader::open(frame);
  if (!reader.ok()) {
    EXPECT_EQ(reader.error().code(), Code::protocol) << reader.error().message();
    return out;
  }
  Bytes buffer(kFrameBytes);
  FrameBuilder builder(buffer);
  Rereader rereader;
  for (;; ++out.records) {
    const auto next = reader->next();
    if (!next.ok()) {
      EXPECT_EQ(next.error().code(), Code::protocol) << next.error().message();
      return out;
    }
    if (!next->has_value()) break;
    EXPECT_TRUE(builder.add(
        std::visit([&](const auto& record) { return rereader.again(record); }, **next)));
  }
  out.right = true;
  buffer.resize(builder.finish().size());
  std::copy_n(bytes.begin() + kVersionAt, sizeof kVersion, buffer.begin() + kVersionAt);
  EXPECT_TRUE(buffer == bytes) << "what was read is not what was written";
  return out;
}

TEST(EngineWireFuzz, GoodFramesAreReadWhole) {
  FuzzedFrames frames(test::seed_of_this_run());
  std::size_t records = 0;
  for (int i = 0; i < kFrames / 10; ++i) {
    const FuzzOutcome outcome = read_all(frames.good());
    ASSERT_TRUE(outcome.right);
    records += outcome.records;
  }
  std::printf("%zu records\n", records);
}

TEST(EngineWireFuzz, SpoiledFramesAreReadOrRefused) {
  FuzzedFrames frames(test::seed_of_this_run());
  int right = 0, later = 0;
  for (int i = 0; i < kFrames; ++i) {
    const FuzzOutcome outcome = read_all(frames.spoiled());
    right += outcome.right ? 1 : 0;
    later += !outcome.right && outcome.records > 0 ? 1 : 0;
  }
  std::printf("%d frames: %d right, %d wrong behind a good record\n", kFrames, right, later);
  EXPECT_LT(right, kFrames / 2);
  EXPECT_GT(right, kFrames / 100) << "mutation that leaves nothing right tests too little";
  EXPECT_GT(later, kFrames / 100);
}

// Each byte of a good frame, at every value that matters most.
TEST(EngineWireFuzz, EachByteOfAFrameMayBeAnything) {
  FuzzedFrames frames(test::seed_of_this_run());
  for (int i = 0; i < 20; ++i) {
    const Bytes good = frames.good();
    for (std::size_t at = 0; at < std::min<std::size_t>(good.size(), 400); ++at)
      for (const std::uint8_t value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
        Bytes frame = good;
        frame[at] = std::byte{value};
        read_all(frame);
      }
  }
}

TEST(EngineWireFuzz, EveryCutOfAFrameIsRefused) {
  FuzzedFrames frames(test::seed_of_this_run());
  Bytes frame = frames.good();
  while (frame.size() > 1000) frame = frames.good();
  while (!frame.empty()) {
    frame.pop_back();
    EXPECT_FALSE(read_all(frame).right);
    Bytes told = frame;
    if (told.size() >= kFrameHeaderBytes)
      store_le(told.data() + layout::frame::kLength.offset,
               static_cast<std::uint32_t>(told.size()));
    read_all(told);
  }
}

}  // namespace
}  // namespace hawser::engine::wire
