// Calls of a plugin that go into it one at a time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/hosted/process_plugin.h"
#include "support/manual_clock.h"

namespace hawser {
namespace {

using testing::HasSubstr;

CallNote creation(const char* entry) {
  CallNote note;
  note.entry = entry;
  note.device = 3;
  return note;
}

bool try_take(CreationTurn& turn, const char* entry = "connect") {
  const auto taken = turn.try_take("TCPX", creation(entry));
  EXPECT_TRUE(taken.ok());
  return taken.ok() && *taken;
}

TEST(NetCreationTurn, IsOnesUntilItIsGivenBack) {
  CreationTurn turn;
  EXPECT_TRUE(try_take(turn, "accept"));
  EXPECT_FALSE(try_take(turn));
  EXPECT_FALSE(try_take(turn));
  turn.give_back();
  { const TakenTurn none(nullptr); }
  EXPECT_TRUE(try_take(turn));
  { const TakenTurn taken(&turn); }
  EXPECT_TRUE(turn.take("TCPX", creation("listen")).ok());
}

TEST(NetCreationTurn, ACallThatDoesNotComeBackIsNamed) {
  test::ManualClock clock;
  CreationTurn turn(clock);
  ASSERT_TRUE(try_take(turn, "accept"));
  clock.advance(CreationTurn::kPatience - Milliseconds(1));
  EXPECT_FALSE(try_take(turn));
  clock.advance(Milliseconds(1));
  const auto asked = turn.try_take("TCPX", creation("connect"));
  ASSERT_FALSE(asked.ok());
  EXPECT_EQ(asked.error().code(), Code::timeout);
  EXPECT_THAT(asked.error().message(), HasSubstr("accept() on device 3"));
  EXPECT_EQ(turn.take("TCPX", creation("listen")).error().code(), Code::timeout);
  turn.give_back();
  EXPECT_TRUE(try_take(turn));
}

TEST(NetProcessPlugin, IsOneForATable) {
  const int tables[2] = {};
  ProcessPlugin& first = ProcessPlugin::of(&tables[0]);
  EXPECT_EQ(&ProcessPlugin::of(&tables[0]), &first);
  EXPECT_NE(&ProcessPlugin::of(&tables[1]), &first);
  int calls = 0;
  EXPECT_FALSE(first
                   .init_once([&]() -> Status {
                     ++calls;
                     return Error(Code::plugin, "not yet");
                   })
                   .ok());
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(first
                    .init_once([&]() -> Status {
                      ++calls;
                      return {};
                    })
                    .ok());
  }
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace hawser
