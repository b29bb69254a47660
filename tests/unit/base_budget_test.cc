#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/budget.h"

namespace hawser {
namespace {

TEST(Budget, GivesNoMoreThanThereIsAndTakesItBack) {
  const auto budget = Budget::make("what it keeps", "ITS_LIMIT", 100);
  {
    auto first = budget->take(60);
    ASSERT_TRUE(first.ok());
    const auto second = budget->take(41);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code(), Code::peer);
    EXPECT_EQ(second.error().message(), "what it keeps: more than 100 (ITS_LIMIT)");
    EXPECT_TRUE(budget->take(40).ok());
    const Budget::Share moved = std::move(*first);
    EXPECT_EQ(budget->used(), 60u);
  }
  EXPECT_EQ(budget->used(), 0u);
  EXPECT_FALSE(budget->try_take(UINT64_MAX));
  EXPECT_TRUE(Budget::unbounded()->try_take(UINT64_MAX));
}

TEST(Budget, CountsInWhatIsAboveIt) {
  const auto above = Budget::make("all", "ALL", 6400);
  const auto one = Budget::make("one", "EACH", 6400, above);
  auto other = Budget::make("other", "EACH", 6400, above);
  auto share = one->take(6400);
  ASSERT_TRUE(share.ok());
  EXPECT_EQ(above->used(), 6300u) << "all but its own part";
  EXPECT_TRUE(other->try_take(200)) << "its own part, and what is left";
  const auto refused = other->take(201);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message(), "all: more than 6400 (ALL)");
  EXPECT_EQ(other->used(), 0u);
  share = Budget::Share();
  EXPECT_EQ(one->used(), 0u);
  EXPECT_LE(above->used(), 100u) << "a step that it keeps in hand";
  {
    const auto later = other->try_take(6300);
    EXPECT_TRUE(later);
    other.reset();
  }
  EXPECT_LE(above->used(), 100u);
}

TEST(Budget, ManyThreadsLoseNothing) {
  const auto above = Budget::make("all", "ALL", 1 << 20);
  const auto budget = Budget::make("one", "EACH", 1 << 16, above);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 20'000; ++round) {
        const auto small = budget->try_take(100);
        const auto large = budget->try_take(20'000);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget->used(), 0u);
  EXPECT_TRUE(budget->try_take(1 << 16));
}

}  // namespace
}  // namespace hawser
