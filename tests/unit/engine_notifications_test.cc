#include <gtest/gtest.h>

#include "engine/operations/notifications.h"

namespace hawser::engine {
namespace {

TEST(EngineNotifications, ComeOutInTheirOrder) {
  Notifications all;
  EXPECT_FALSE(all.any());
  EXPECT_FALSE(all.take());
  EXPECT_TRUE(all.add("a").ok());
  EXPECT_TRUE(all.add("b").ok());
  EXPECT_TRUE(all.any());
  EXPECT_EQ(all.take(), "a");
  EXPECT_EQ(all.take(), "b");
  EXPECT_FALSE(all.any());
}

TEST(EngineNotifications, OneOfAWriteFollowsAllItsBytes) {
  Notifications all;
  EXPECT_FALSE(all.begin(1, 10, "begun first").value());
  EXPECT_FALSE(all.landed(1, 9));
  EXPECT_TRUE(all.landed(1, 1));
  EXPECT_FALSE(all.landed(2, 4));
  EXPECT_FALSE(all.landed(2, 6));
  EXPECT_TRUE(all.begin(2, 10, "landed first").value());
  EXPECT_TRUE(all.begin(3, 0, "no bytes at all").value());
  EXPECT_EQ(all.take(), "begun first");
  EXPECT_EQ(all.take(), "landed first");
  EXPECT_EQ(all.take(), "no bytes at all");
}

TEST(EngineNotifications, AWriteThatWasTakenBackHasNone) {
  Notifications all;
  EXPECT_FALSE(all.begin(1, 10, "never").value());
  all.withdraw(1);
  EXPECT_FALSE(all.landed(1, 10));
  EXPECT_FALSE(all.any());
}

TEST(EngineNotifications, TooManyThatNobodyTakesAreAnError) {
  Notifications all;
  for (int i = 0; i < 65536; ++i) ASSERT_TRUE(all.add("x").ok());
  EXPECT_EQ(all.add("y").error().code(), Code::peer);
  EXPECT_EQ(all.begin(1, 0, "y").error().code(), Code::peer);
  EXPECT_TRUE(all.take());
  EXPECT_TRUE(all.add("y").ok());
}

}  // namespace
}  // namespace hawser::engine
