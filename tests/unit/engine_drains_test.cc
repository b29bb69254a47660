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
  EXPECT_FALSE(drains.end(kKey));
  EXPECT_FALSE(drains.forbid(kKey)) << "nothing is under way";
  EXPECT_FALSE(drains.forbids(kKey));
  drains.begin(kKey);
  drains.begin(kKey);
  drains.begin(kOther);
  EXPECT_TRUE(drains.forbid(kKey));
  EXPECT_TRUE(drains.forbids(kKey));
  EXPECT_FALSE(drains.forbids(kOther));
  EXPECT_FALSE(drains.end(kKey));
  EXPECT_TRUE(drains.end(kKey));
  EXPECT_FALSE(drains.forbids(kKey));
  EXPECT_FALSE(drains.end(kOther)) << "nobody waits for that one";
}

}  // namespace
}  // namespace hawser::engine
