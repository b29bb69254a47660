// Notifications come after the data that they tell of, and in order.
#include "engine/fixture.h"

namespace hawser::test {
namespace {

using NotifyOrder = EngineTest;

TEST_P(NotifyOrder, NeverOvertakesItsData) {
  constexpr std::size_t kRounds = 60;
  const std::size_t bytes = 3 * variant().chunk() + 11;
  const auto from = near_piece(bytes);
  const auto to = far_piece(bytes);
  for (std::size_t round = 0; round < kRounds; ++round) {
    const std::size_t length = round % 3 == 0 ? round + 1 : bytes;
    from->memory.fill(round, 0, length);
    TransferOptions options;
    options.notification = std::to_string(round);
    const Transfer write =
        near().write(from->region.span(0, length), to->remote.at(bytes - length), options);
    ASSERT_EQ(next_notification(far()), std::to_string(round));
    ASSERT_EQ(to->memory.mismatch(round, bytes - length, length), "") << round;
    ASSERT_OK(outcome(write));
  }
}

// Written one behind the other, and looked at the instant it is told.
TEST_P(NotifyOrder, OfManyWritesUnderWay) {
  constexpr std::size_t kWrites = 48;
  const std::size_t bytes = variant().chunk() + 333;
  const auto from = near_piece(kWrites * bytes);
  const auto to = far_piece(kWrites * bytes);
  for (std::size_t i = 0; i < kWrites; ++i) from->memory.fill(i, i * bytes, bytes);
  for (std::size_t i = 0; i < kWrites; ++i) {
    TransferOptions options;
    options.notification = std::to_string(i);
    const std::vector<Block> halves = {
        {i * bytes + bytes / 2, i * bytes + bytes / 2, bytes - bytes / 2},
        {i * bytes, i * bytes, bytes / 2}};
    static_cast<void>(near().write(from->region, to->remote, halves, options));
  }
  for (std::size_t i = 0; i < kWrites; ++i) {
    const std::size_t which = std::stoul("0" + next_notification(far()));
    ASSERT_EQ(to->memory.mismatch(which, which * bytes, bytes), "") << which;
  }
}

TEST_P(NotifyOrder, ByItselfWaitsForAllEarlierWrites) {
  constexpr std::size_t kRounds = 8;
  constexpr std::size_t kWrites = 6;
  const std::size_t bytes = 2 * variant().chunk();
  const auto from = near_piece(kWrites * bytes);
  const auto to = far_piece(kWrites * bytes);
  for (std::size_t round = 0; round < kRounds; ++round) {
    from->memory.fill(round);
    for (std::size_t i = 0; i < kWrites; ++i)
      static_cast<void>(
          near().write(from->region.span(i * bytes, bytes), to->remote.at(i * bytes)));
    const Transfer told = near().notify("all");
    const Transfer after = near().notify("after");
    ASSERT_EQ(next_notification(far()), "all");
    ASSERT_EQ(to->memory.mismatch(round, 0, kWrites * bytes), "") << round;
    ASSERT_EQ(next_notification(far()), "after");
    ASSERT_OK(outcome(told));
    ASSERT_OK(outcome(after));
  }
}

TEST_P(NotifyOrder, ManyInOrder) {
  constexpr int kCount = 2000;
  std::vector<Transfer> told;
  for (int i = 0; i < kCount; ++i) {
    told.push_back(near().notify("there " + std::to_string(i)));
    told.push_back(far().notify("here " + std::to_string(i)));
  }
  for (int i = 0; i < kCount; ++i) {
    ASSERT_EQ(next_notification(far()), "there " + std::to_string(i));
    ASSERT_EQ(next_notification(near()), "here " + std::to_string(i));
  }
  for (const Transfer& transfer : told) ASSERT_OK(outcome(transfer));
}

TEST_P(NotifyOrder, AmongMessagesOfAllKinds) {
  const auto here = near_piece(128);
  const auto there = far_piece(128);
  for (int i = 0; i < 300; ++i) {
    // Other messages, which may be on their way over other channels.
    const Transfer read = near().read(here->region.span(64, 64), there->remote.at(64));
    const Transfer send = near().send(1, here->region.span(0, 64));
    const Transfer told = near().notify("x" + std::to_string(i));
    ASSERT_EQ(next_notification(far()), "x" + std::to_string(i));
    ASSERT_OK(outcome(told));
    ASSERT_OK(outcome(far().recv(1, there->region.span(0, 64))));
    ASSERT_OK(outcome(read));
    ASSERT_OK(outcome(send));
  }
}

TEST_P(NotifyOrder, AnyBytesUpToTheLimit) {
  const auto from = near_piece(10);
  const auto to = far_piece(10);
  std::string longest(kMaxNotificationBytes, '\0');
  for (std::size_t i = 0; i < longest.size(); ++i) longest[i] = static_cast<char>(i * 7);
  TransferOptions options;
  options.notification = longest;
  ASSERT_OK(outcome(near().write(from->region.span(0, 10), to->remote.at(0), options)));
  EXPECT_EQ(next_notification(far()), longest);
  ASSERT_OK(outcome(near().notify(longest)));
  EXPECT_EQ(next_notification(far()), longest);
  ASSERT_OK(outcome(near().notify("")));
  EXPECT_EQ(next_notification(far()), "");
  options.notification += 'x';
  EXPECT_CODE(outcome(near().write(from->region.span(0, 10), to->remote.at(0), options)),
              Code::invalid_argument);
  EXPECT_CODE(outcome(near().notify(options.notification)), Code::invalid_argument);
}

TEST_P(NotifyOrder, OfAWriteOfNothing) {
  const auto from = near_piece(10);
  const auto to = far_piece(10);
  TransferOptions options;
  options.notification = "nothing";
  ASSERT_OK(outcome(near().write(from->region.span(0, 0), to->remote.at(0), options)));
  EXPECT_EQ(next_notification(far()), "nothing");
}

HAWSER_ENGINE_SUITE(NotifyOrder);

}  // namespace
}  // namespace hawser::test
