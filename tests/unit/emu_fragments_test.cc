// HAWSER_EMU_FRAGMENTS: which pieces receives land in.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "emu_support.h"

namespace hawser::emu_test {
namespace {

constexpr int kFullRequest = 512 * 1024;

class EmuFragments : public ::testing::TestWithParam<const char*> {};

TEST_P(EmuFragments, MessagesOfAllSizesArriveWhole) {
  Plugin plugin(Environment{{"HAWSER_EMU_FRAGMENTS", GetParam()}});
  Connected pair(plugin);
  std::uint64_t sequence = 0;
  for (const int bytes : {1, 2, 3, 8, 509, 511, 512, 513, 1447, 1448, 4095, 4096, 4097, 65536,
                          100003, 131072, 131073, 524287, 524288})
    ASSERT_EQ(pair.transfer(bytes, sequence++), emu::kSuccess) << bytes;
  for (; sequence < 40; ++sequence) ASSERT_EQ(pair.transfer(20000, sequence), emu::kSuccess);
  EXPECT_EQ(plugin.stats().violations, 0U) << plugin.stats().last_violation;
  EXPECT_EQ(plugin.stats().pages_in_use, 0U);
}

INSTANTIATE_TEST_SUITE_P(Kinds, EmuFragments,
                         ::testing::Values("pages", "scattered", "mixed", "tiny"));

using Fragments = std::vector<emu::LoadMeta>;

// What the host is told of the n-th receive, of `bytes`.
Fragments receive_fragments(Pair& pair, std::uint64_t sequence, int bytes) {
  void* sending = nullptr;
  void* receiving = nullptr;
  EXPECT_EQ(pair.send(pair.source.data(), bytes, &sending), 0);
  EXPECT_EQ(pair.receive(pair.destination.data(), bytes, &receiving), 0);
  EXPECT_EQ(pair.finish(sending, receiving), 0);
  const emu::UnpackMeta& meta = *pair.unpack_handle().meta;
  const std::size_t slot = sequence % emu::kSlots;
  Fragments list(meta.mem[slot], meta.mem[slot] + meta.cnt[slot]);
  EXPECT_EQ(pair.consume(receiving), 0);
  return list;
}

Fragments fragments_of(const char* kind, int bytes) {
  Plugin plugin(Environment{{"HAWSER_EMU_FRAGMENTS", kind}});
  Connected pair(plugin);
  return receive_fragments(pair, 0, bytes);
}

bool in_order(const Fragments& list) {
  return std::is_sorted(list.begin(), list.end(), [](const auto& a, const auto& b) {
    return a.destination_offset < b.destination_offset;
  });
}

template <class Predicate>
auto count(const Fragments& list, Predicate predicate) {
  return std::count_if(list.begin(), list.end(), predicate);
}

// Together they cover the receive once, each on a page of its own.
void expect_sound(Fragments list, std::uint64_t bytes) {
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
    return a.destination_offset < b.destination_offset;
  });
  std::set<std::uint32_t> pages;
  std::uint64_t next = 0;
  for (const emu::LoadMeta& piece : list) {
    EXPECT_EQ(piece.destination_offset, next);
    EXPECT_TRUE(pages.insert(piece.source_offset / 4096).second);
    EXPECT_LE(piece.source_offset % 4096 + piece.bytes, 4096U);
    next += piece.bytes;
  }
  EXPECT_EQ(next, bytes);
}

TEST(EmuFragmentLists, PagesAreWholeAndScrambled) {
  const Fragments list = fragments_of("pages", 40 * 4096 + 5);
  ASSERT_EQ(list.size(), 41U);
  bool ascending = true;
  for (std::size_t i = 0; i < list.size(); ++i) {
    EXPECT_EQ(list[i].source_offset % 4096, 0U);
    EXPECT_EQ(list[i].destination_offset, i * 4096);
    EXPECT_EQ(list[i].bytes, i < 40 ? 4096U : 5U);
    ascending = ascending && (i == 0 || list[i].source_offset > list[i - 1].source_offset);
  }
  EXPECT_FALSE(ascending);
}

TEST(EmuFragmentLists, ScatteredOnesAreWholePagesInNoOrder) {
  const Fragments list = fragments_of("scattered", 40 * 4096 + 5);
  ASSERT_EQ(list.size(), 41U);
  expect_sound(list, 40 * 4096 + 5);
  for (const emu::LoadMeta& piece : list) {
    EXPECT_EQ(piece.source_offset % 4096, 0U);
    EXPECT_EQ(piece.destination_offset % 4096, 0U);
    EXPECT_EQ(piece.bytes, piece.destination_offset == 40 * 4096 ? 5U : 4096U);
  }
  EXPECT_FALSE(in_order(list));
}

TEST(EmuFragmentLists, MixedOnesAreOddAndOutOfOrder) {
  const Fragments list = fragments_of("mixed", kFullRequest);
  ASSERT_LT(list.size(), 400U);
  expect_sound(list, kFullRequest);
  EXPECT_GT(count(list, [](const auto& piece) { return piece.bytes == 4096; }), 60);
  EXPECT_GT(count(list, [](const auto& piece) { return piece.bytes == 1448; }), 5);
  EXPECT_GT(count(list, [](const auto& piece) { return piece.bytes == 1; }), 0);
  EXPECT_GT(count(list, [](const auto& piece) { return piece.source_offset % 16 != 0; }), 5);
  EXPECT_FALSE(in_order(list));
}

TEST(EmuFragmentLists, TinyOnesAreAsManyAsCanBeAndNothingIsAligned) {
  const Fragments list = fragments_of("tiny", kFullRequest);
  EXPECT_GE(list.size(), 2046U);
  ASSERT_LE(list.size(), 2047U);
  expect_sound(list, kFullRequest);
  const auto size = static_cast<std::ptrdiff_t>(list.size());
  EXPECT_GE(count(list, [](const auto& piece) { return piece.bytes >= 2; }), size - 1);
  EXPECT_LE(count(list, [](const auto& piece) { return piece.bytes > 510; }), 1);  // what is left
  EXPECT_EQ(count(list, [](const auto& piece) { return piece.source_offset % 2 != 1; }), 0);
  EXPECT_LT(count(list, [](const auto& piece) { return piece.destination_offset % 4 == 0; }), 500);
  EXPECT_FALSE(in_order(list));
}

// A piece too many ends the process.
TEST(EmuFragmentLists, TinyOnesAreNeverTooMany) {
  Plugin plugin(Environment{{"HAWSER_EMU_FRAGMENTS", "tiny"}});
  Connected pair(plugin);
  for (std::uint64_t sequence = 0; sequence < 100; ++sequence) {
    const int bytes = kFullRequest - static_cast<int>(sequence / 4);
    const std::size_t pieces = receive_fragments(pair, sequence, bytes).size();
    ASSERT_LE(pieces, 2047U);
    ASSERT_GE(pieces, 2046U);
  }
  EXPECT_EQ(plugin.stats().violations, 0U) << plugin.stats().last_violation;
}

TEST(EmuFragmentLists, TinyOnesOfLargeRequestsAreLongerInstead) {
  Plugin plugin(
      Environment{{"HAWSER_EMU_FRAGMENTS", "tiny"}, {"NCCL_DYNAMIC_CHUNK_SIZE", "8388608"}});
  Pair pair(plugin);
  pair.source = PageBuffer(8 << 20);
  pair.destination = PageBuffer(8 << 20);
  ASSERT_TRUE(pair.connect());
  std::uint64_t sequence = 0;
  for (const int bytes :
       {kFullRequest + 1, 1 << 20, 2 << 20, (2 << 20) + 1, (4 << 20) + 3, 2047 * 4096}) {
    const Fragments list = receive_fragments(pair, sequence++, bytes);
    ASSERT_LE(list.size(), 2047U) << bytes;
    expect_sound(list, static_cast<std::uint64_t>(bytes));
  }
  EXPECT_EQ(plugin.stats().violations, 0U) << plugin.stats().last_violation;
}

}  // namespace
}  // namespace hawser::emu_test
