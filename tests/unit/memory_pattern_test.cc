#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <utility>
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
  // From within a block to within another, with more blocks between than are compared at once.
  for (const auto& [at, bytes] : {std::pair{0, 19}, std::pair{24, 6003}}) {
    auto data = pattern({9, 1, 1}, static_cast<std::size_t>(at), static_cast<std::size_t>(bytes));
    for (std::size_t i = 0; i < data.size(); ++i) {
      data[i] ^= std::byte{0x10};
      const auto wrong = find_mismatch({9, 1, 1}, static_cast<std::size_t>(at), data);
      ASSERT_TRUE(wrong.has_value()) << i;
      EXPECT_EQ(wrong->offset, static_cast<std::size_t>(at) + i);
      data[i] ^= std::byte{0x10};
    }
  }
}

// Whoever fills a part has the bytes of whoever fills it all, and none of them comes twice.
TEST(Pattern, OfAPartIsThatPartOfTheWhole) {
  const auto whole = pattern({3, 1, 2}, 0, 4096);
  for (const std::size_t at : {8, 16, 56, 64, 72, 1000})
    EXPECT_EQ(pattern({3, 1, 2}, at, 1337),
              std::vector(whole.begin() + static_cast<std::ptrdiff_t>(at),
                          whole.begin() + static_cast<std::ptrdiff_t>(at) + 1337));
  std::set<std::uint64_t> words;
  for (std::size_t at = 0; at < whole.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, whole.data() + at, sizeof word);
    EXPECT_TRUE(words.insert(word).second) << at;
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
