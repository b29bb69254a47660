// PageBudget: what receives may hold of a bounce pool.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "memory/range.h"
#include "net/hosted/page_budget.h"
#include "support/manual_clock.h"

namespace hawser {
namespace {

constexpr std::size_t kChunk = 512 * 1024;
constexpr std::size_t kChunkPages = 2048;
constexpr std::size_t kFrame = 16 * 1024;
constexpr std::size_t kThreeChunks = 8192;  // pages, and some room left

struct Comms {
  Comms(std::size_t pages, std::size_t count)
      : budget(std::make_shared<PageBudget>(pages * kPageBytes, clock)) {
    for (std::size_t i = 0; i < count; ++i) {
      shares.push_back(std::make_unique<PageShare>());
      shares.back()->join(budget);
    }
  }
  PageShare& at(std::size_t i) { return *shares[i]; }
  // What is left has room for small receives only.
  void fill(std::size_t comm) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(at(comm).try_take(kChunk), kChunkPages);
  }

  test::ManualClock clock;
  std::shared_ptr<PageBudget> budget;
  std::vector<std::unique_ptr<PageShare>> shares;
};

TEST(NetPageBudget, CountsWhatAReceiveMayComeToHold) {
  Comms comms(65536, 1);
  EXPECT_EQ(comms.budget->capacity(), 57344U);
  EXPECT_EQ(comms.at(0).try_take(0), 0U);
  EXPECT_EQ(comms.at(0).try_take(1), 1U);
  EXPECT_EQ(comms.at(0).try_take(kFrame), 65U);
  EXPECT_EQ(comms.at(0).try_take(kChunk), kChunkPages);
  EXPECT_EQ(comms.budget->taken(), 1U + 65 + 2048);
  comms.at(0).give_back(2048);
  EXPECT_EQ(comms.budget->taken(), 66U);
}

TEST(NetPageBudget, NeverTakesMoreThanThereIs) {
  Comms comms(kThreeChunks, 4);
  std::size_t taken = 0;
  for (int round = 0; round < 16; ++round)
    for (std::size_t i = 0; i < 4; ++i) taken += comms.at(i).try_take(kChunk).value_or(0);
  EXPECT_EQ(taken, 3 * kChunkPages);
  EXPECT_EQ(comms.budget->taken(), taken);
  EXPECT_LE(taken, comms.budget->capacity());
}

// However small the pool: with a small receive posted on every channel, a large one fits.
TEST(NetPageBudget, ALargeReceiveFitsBesideThoseThatWait) {
  for (const std::size_t pages : {64, 300, 1024, 4096, 65536}) {
    Comms comms(pages, 8);
    for (std::size_t i = 0; i < 8; ++i) EXPECT_TRUE(comms.at(i).try_take(kFrame)) << pages;
    EXPECT_TRUE(comms.at(5).try_take(kChunk)) << pages;
    EXPECT_EQ(comms.at(6).try_take(kChunk).has_value(), pages > 4096)
        << "two may fill it half each";
    EXPECT_LE(comms.budget->taken(), comms.budget->capacity());
  }
}

// Only the one that may wait for long is let in for less than it may come to hold.
TEST(NetPageBudget, OfManySmallReceivesAllButOneTakeAllTheyMayHold) {
  Comms comms(300, 8);
  EXPECT_EQ(comms.at(0).try_take(kFrame), 8U);
  EXPECT_EQ(comms.at(0).try_take(kFrame), 65U);
  EXPECT_EQ(comms.at(1).try_take(PageBudget::kSmallBytes + 1), 65U);
}

TEST(NetPageBudget, ServesInTheOrderOfAsking) {
  Comms comms(kThreeChunks, 3);
  comms.fill(0);
  EXPECT_FALSE(comms.at(1).try_take(kChunk));
  EXPECT_FALSE(comms.at(2).try_take(1)) << "it would fit, but another has waited longer";
  comms.at(0).give_back(kChunkPages);
  EXPECT_FALSE(comms.at(0).try_take(kChunk)) << "it has just had its turn";
  EXPECT_TRUE(comms.at(1).try_take(kChunk));
  EXPECT_TRUE(comms.at(2).try_take(1));
}

TEST(NetPageBudget, WhoDoesNotComeBackLosesItsTurn) {
  Comms comms(kThreeChunks, 3);
  comms.fill(0);
  EXPECT_FALSE(comms.at(1).try_take(kChunk));
  EXPECT_FALSE(comms.at(2).try_take(kChunk));
  comms.at(0).give_back(kChunkPages);
  comms.clock.advance(PageBudget::kTurn / 2);
  EXPECT_FALSE(comms.at(2).try_take(kChunk)) << "it is not its turn";
  comms.clock.advance(PageBudget::kTurn);
  EXPECT_TRUE(comms.at(2).try_take(kChunk));
}

TEST(NetPageBudget, WhoGoesGivesBackAndWaitsNoMore) {
  Comms comms(kThreeChunks, 3);
  comms.fill(0);
  EXPECT_FALSE(comms.at(1).try_take(kChunk));
  EXPECT_FALSE(comms.at(2).try_take(kChunk));
  comms.shares.erase(comms.shares.begin(), comms.shares.begin() + 2);
  EXPECT_EQ(comms.budget->taken(), 0U);
  EXPECT_TRUE(comms.at(0).try_take(kChunk));
}

TEST(NetPageBudget, APoolOfUnknownSizeBoundsNothing) {
  PageShare share;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(share.try_take(kChunk));
  share.give_back(0);
}

TEST(NetPageBudget, EachPoolHasItsOwn) {
  PageBudgets budgets;
  int one = 0, two = 0;
  auto first = budgets.of(&one, 1 << 20);
  EXPECT_EQ(budgets.of(&one, 1 << 20), first);
  EXPECT_NE(budgets.of(&two, 1 << 20), first);
  const std::size_t small = first->capacity();
  first.reset();
  EXPECT_GT(budgets.of(&one, 1 << 22)->capacity(), small) << "another pool at the same place";
}

}  // namespace
}  // namespace hawser
