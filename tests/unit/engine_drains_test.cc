#include <gtest/gtest.h>

#include "engine/operations/drains.h"

namespace hawser::engine {
namespace {

constexpr wire::Key kKey{std::byte{1}};
constexpr wire::Key kOther{std::byte{2}};

TEST(EngineDrains, ThePeerIsAskedOnceAndAllAreTold) {
  Drains drains;
  int told = 0;
  EXPECT_TRUE(drains.wait(kKey, [&] { ++told; }));
  EXPECT_FALSE(drains.wait(kKey, [&] { ++told; }));
  EXPECT_TRUE(drains.answered(kOther).empty());
  for (const auto& tell : drains.answered(kKey)) tell();
  EXPECT_EQ(told, 2);
  EXPECT_TRUE(drains.answered(kKey).empty());
  EXPECT_TRUE(drains.wait(kKey, [&] { ++told; })) << "it may be asked again";
  for (const auto& tell : drains.clear()) tell();
  EXPECT_EQ(told, 3);
}

TEST(EngineDrains, ARegionOfThePeersIsDrainedWhenTheLastHasEnded) {
  Drains drains;
  EXPECT_FALSE(drains.count_down(kKey));
  drains.forbid(kKey, 2);
  EXPECT_TRUE(drains.forbids(kKey));
  EXPECT_FALSE(drains.forbids(kOther));
  EXPECT_FALSE(drains.count_down(kKey));
  EXPECT_TRUE(drains.count_down(kKey));
  EXPECT_FALSE(drains.forbids(kKey));
}

}  // namespace
}  // namespace hawser::engine
