// One message with every kind of field: what goes in comes out, and nothing else is taken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "base/codec.h"

namespace hawser::codec {
namespace {

using ::testing::HasSubstr;

enum class Colour : std::uint8_t { red = 1, green = 2, blue = 3 };

struct Sample {
  std::uint32_t number = 0;
  std::int16_t negative = 0;
  Colour colour = Colour::red;
  bool yes = false;
  std::array<std::byte, 4> bytes{};
  std::string text;
  std::vector<std::uint64_t> list;
  bool marked = false;
  std::span<const std::byte> rest;

  friend bool operator==(const Sample& a, const Sample& b) {
    return a.number == b.number && a.negative == b.negative && a.colour == b.colour &&
           a.yes == b.yes && a.bytes == b.bytes && a.text == b.text && a.list == b.list &&
           a.marked == b.marked && std::ranges::equal(a.rest, b.rest);
  }
};

constexpr std::size_t kMaxText = 8;
constexpr std::size_t kMaxList = 3;
constexpr std::uint16_t kMark = 4;

void fields(auto& io, Of<Sample> auto& sample) {
  io.number("number", sample.number, 1, 1000);
  io.number("negative", sample.negative);
  io.number("colour", sample.colour, Colour::red, Colour::blue);
  io.flag("yes", sample.yes);
  io.template zeros<3>();
  io.template skip<2>();
  io.array("bytes", sample.bytes);
  io.text("text", sample.text, kMaxText, 1);
  io.list("list", sample.list, 0, kMaxList);
  for (auto& item : sample.list) io.number("item", item);
  io.bit(kMark, sample.marked);
  io.rest("rest", sample.rest, 16);
}

struct Encoded {
  std::vector<std::byte> bytes;
  std::uint16_t flags = 0;
};

Encoded encode(const Sample& sample) {
  Sizer size;
  fields(size, sample);
  Encoded encoded{std::vector<std::byte>(size.bytes())};
  Encoder out(encoded.bytes.data());
  fields(out, sample);
  encoded.flags = out.flags();
  return encoded;
}

// Nothing: it went well.
std::string problem(std::span<const std::byte> bytes, std::uint16_t flags, Sample& sample,
                    WildText wild = WildText::refuse) {
  Decoder in("Sample", bytes, flags, wild);
  fields(in, sample);
  const auto& error = in.finish();
  return error ? error->message() : "";
}

std::string problem(const Sample& sample) {
  const Encoded encoded = encode(sample);
  Sample again;
  return problem(encoded.bytes, encoded.flags, again);
}

const std::array<std::byte, 3> kRest{std::byte{7}, std::byte{8}, std::byte{9}};

Sample good() {
  return {1000, -2, Colour::blue, true, {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}},
          "text", {1, UINT64_MAX}, true, kRest};
}

constexpr std::size_t kTextAt = 4 + 2 + 1 + 1 + 3 + 2 + 4;

TEST(Codec, WhatGoesInComesOut) {
  const Encoded encoded = encode(good());
  EXPECT_EQ(encoded.flags, kMark);
  EXPECT_EQ(encoded.bytes.size(), kTextAt + 2 + 4 + 2 + 2 * 8 + 3);
  Sample again;
  EXPECT_EQ(problem(encoded.bytes, encoded.flags, again), "");
  EXPECT_EQ(again, good());
}

TEST(Codec, StandsLittleEndianWithoutPadding) {
  const std::vector<std::byte> bytes = encode(good()).bytes;
  const auto at = [&](std::size_t i) { return std::to_integer<int>(bytes[i]); };
  EXPECT_EQ(at(0) | at(1) << 8, 1000);
  EXPECT_EQ(at(4), 0xfe);
  EXPECT_EQ(at(5), 0xff);
  EXPECT_EQ(at(6), 3);
  EXPECT_EQ(at(7), 1);
  EXPECT_EQ(at(kTextAt), 4);
  EXPECT_EQ(at(kTextAt + 2), 't');
}

// But for the last field, which takes what there is.
TEST(Codec, NoPrefixOfAMessageIsOne) {
  const Encoded encoded = encode(good());
  for (std::size_t bytes = 0; bytes < encoded.bytes.size() - kRest.size(); ++bytes) {
    Sample again;
    EXPECT_THAT(problem(std::span(encoded.bytes).first(bytes), encoded.flags, again),
                HasSubstr("too short"))
        << bytes;
  }
}

TEST(Codec, LimitsAreCheckedOnDecode) {
  Sample sample = good();
  sample.number = 1001;
  EXPECT_EQ(problem(sample), "a Sample with number = 1001, want 1 to 1000");
  sample = good();
  sample.number = 0;
  EXPECT_THAT(problem(sample), HasSubstr("number = 0"));
  sample = good();
  sample.colour = static_cast<Colour>(4);
  EXPECT_THAT(problem(sample), HasSubstr("colour = 4, want 1 to 3"));
  sample = good();
  sample.list.resize(kMaxList + 1);
  EXPECT_THAT(problem(sample), HasSubstr("list = 4"));
  sample = good();
  sample.text.clear();
  EXPECT_EQ(problem(sample), "a Sample without a text");
  sample = good();
  const std::vector<std::byte> much(17);
  sample.rest = much;
  EXPECT_EQ(problem(sample), "a Sample with rest of 17 bytes, at most 16");
}

TEST(Codec, TextsAreCutAndMadePrintableOnEncode) {
  Sample sample = good();
  sample.text = "1234567\xc3\xa4";  // would be cut within the last letter
  Encoded encoded = encode(sample);
  Sample again;
  EXPECT_EQ(problem(encoded.bytes, encoded.flags, again), "");
  EXPECT_EQ(again.text, "1234567");
  sample.text = "a\nb";
  encoded = encode(sample);
  EXPECT_EQ(problem(encoded.bytes, encoded.flags, again), "");
  EXPECT_EQ(again.text, "a?b");
}

TEST(Codec, TextsThatWereNotMadePrintableAreRefusedOrReplaced) {
  Encoded encoded = encode(good());
  encoded.bytes[kTextAt + 2] = std::byte{'\n'};
  Sample again;
  EXPECT_EQ(problem(encoded.bytes, encoded.flags, again), "a Sample whose text is no printable UTF-8");
  EXPECT_EQ(problem(encoded.bytes, encoded.flags, again, WildText::replace), "");
  EXPECT_EQ(again.text, "?ext");
  encoded.bytes[kTextAt] = std::byte{kMaxText + 1};
  EXPECT_EQ(problem(encoded.bytes, encoded.flags, again),
            "a Sample with text of 9 bytes, at most 8");
}

TEST(Codec, ReservedBytesFlagsAndWhatIsLeftOverAreChecked) {
  Encoded encoded = encode(good());
  Sample again;
  encoded.bytes[8] = std::byte{1};  // of zeros
  EXPECT_EQ(problem(encoded.bytes, encoded.flags, again), "a Sample whose reserved bytes are not zero");
  encoded.bytes[8] = {};
  encoded.bytes[11] = std::byte{1};  // skipped
  EXPECT_EQ(problem(encoded.bytes, encoded.flags, again), "");
  encoded.bytes[7] = std::byte{2};  // a flag
  EXPECT_THAT(problem(encoded.bytes, encoded.flags, again), HasSubstr("yes = 2"));
  encoded.bytes[7] = {};
  EXPECT_EQ(problem(encoded.bytes, kMark | 8, again), "a Sample with unknown flags 0x8");

  struct Byte {
    std::uint8_t value = 0;
  };
  Decoder in("Byte", std::span(encoded.bytes).first(2));
  Byte byte;
  in.number("value", byte.value);
  ASSERT_TRUE(in.finish());
  EXPECT_EQ(in.finish()->message(), "a Byte of 2 bytes where its fields take 1");
}

TEST(Codec, TheFirstProblemIsKept) {
  Sample sample = good();
  sample.number = 0;
  sample.colour = static_cast<Colour>(9);
  EXPECT_THAT(problem(sample), HasSubstr("number = 0"));
}

TEST(Codec, ReadsTheAlternativeOfAnIndexAsItIsAtFirst) {
  std::variant<int, std::string, Sample> variant = std::string("x");
  read_alternative(variant, 2, [](auto& it) {
    if constexpr (std::is_same_v<std::remove_reference_t<decltype(it)>, Sample>) it.number = 5;
  });
  ASSERT_EQ(variant.index(), 2u);
  EXPECT_EQ(std::get<Sample>(variant).number, 5u);
}

}  // namespace
}  // namespace hawser::codec
