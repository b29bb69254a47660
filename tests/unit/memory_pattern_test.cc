#include <gtest/gtest.h>

#include <vector>

#include "memory/pattern.h"

namespace hawser {
namespace {

std::vector<std::byte> pattern(const PatternKey& key, std::size_t at, std::size_t bytes) {
  std::vector<std::byte> data(bytes);
  fill_pattern(key, at, data);
  return data;
}

TEST(Pattern, FindsItselfWholeAtAnyLength) {
  for (std::size_t bytes = 0; bytes < 40; ++bytes)
    EXPECT_FALSE(find_mismatch({1, 2, 3}, 16, pattern({1, 2, 3}, 16, bytes)).has_value()) << bytes;
}

TEST(Pattern, NamesTheFirstWrongByte) {
  auto data = pattern({1, 0, 0}, 1024, 1001);
  const auto expected = std::to_integer<std::uint8_t>(data[700]);
  data[700] ^= std::byte{0xff};
  data[900] ^= std::byte{1};
  const auto wrong = find_mismatch({1, 0, 0}, 1024, data);
  ASSERT_TRUE(wrong.has_value());
  EXPECT_EQ(wrong->offset, 1724u);
  EXPECT_EQ(wrong->expected, expected);
  EXPECT_EQ(wrong->found, static_cast<std::uint8_t>(~expected));
}

TEST(Pattern, EveryByteIsCompared) {
  const auto good = pattern({9, 1, 1}, 0, 19);
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto data = good;
    data[i] ^= std::byte{0x10};
    const auto wrong = find_mismatch({9, 1, 1}, 0, data);
    ASSERT_TRUE(wrong.has_value());
    EXPECT_EQ(wrong->offset, i);
  }
}

// Another run's, iteration's, channel's or offset's bytes never pass.
TEST(Pattern, DiffersByRunIterationChannelAndOffset) {
  const auto mine = pattern({5, 6, 7}, 4096, 512);
  for (const PatternKey& other :
       {PatternKey{4, 6, 7}, PatternKey{5, 7, 7}, PatternKey{5, 6, 8}, PatternKey{5, 7, 6}})
    EXPECT_TRUE(find_mismatch(other, 4096, mine).has_value());
  for (const std::size_t at : {0, 8, 4088, 4104, 8192})
    EXPECT_TRUE(find_mismatch({5, 6, 7}, at, mine).has_value()) << at;
}

}  // namespace
}  // namespace hawser
