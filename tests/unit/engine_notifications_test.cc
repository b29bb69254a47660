#include <gtest/gtest.h>

#include "engine/operations/notifications.h"

namespace hawser::engine {
namespace {

TEST(EngineNotifications, ComeOutInTheirOrder) {
  Notifications all;
  EXPECT_FALSE(all.any());
  EXPECT_FALSE(all.take());
  all.add("a");
  all.add("b");
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
  EXPECT_TRUE(all.expect(2, 1).ok());
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
  EXPECT_TRUE(all.withdraw(1));
  EXPECT_FALSE(all.withdraw(1));
  EXPECT_FALSE(all.landed(1, 10));
  EXPECT_FALSE(all.any());
}

// Whose data came first, and whose beginning is still on its way.
TEST(EngineNotifications, WritesThatHaveNotBegunAreBounded) {
  Notifications all;
  EXPECT_TRUE(all.expect(1, 2).ok());
  EXPECT_TRUE(all.expect(2, 2).ok());
  EXPECT_TRUE(all.expect(2, 2).ok()) << "another part of the same";
  EXPECT_EQ(all.expect(3, 2).error().code(), Code::protocol);
  EXPECT_FALSE(all.begin(1, 10, "one").value());
  EXPECT_EQ(all.begin(1, 10, "again").error().code(), Code::protocol);
  EXPECT_TRUE(all.expect(1, 1).ok()) << "it has begun";
  EXPECT_EQ(all.expect(3, 1).error().code(), Code::protocol);
  EXPECT_FALSE(all.withdraw(2)) << "it had not begun";
  EXPECT_TRUE(all.expect(3, 1).ok());
  all.end_writes();
  EXPECT_TRUE(all.expect(4, 1).ok());
}

}  // namespace
}  // namespace hawser::engine
