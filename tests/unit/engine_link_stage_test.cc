#include <gtest/gtest.h>

#include "engine/link_stage.h"

namespace hawser::engine {
namespace {

using namespace std::chrono_literals;

const Error kWhy(Code::peer, "it went");

void come_up(LinkStage& stage) {
  EXPECT_TRUE(stage.come_up_here());
  EXPECT_TRUE(stage.come_up_there());
  EXPECT_TRUE(stage.go_up());
}

TEST(EngineLinkStage, IsUpWhenBothSidesAreWhicheverIsFirst) {
  for (const bool here_first : {true, false}) {
    LinkStage stage;
    EXPECT_TRUE(here_first ? stage.come_up_here() : stage.come_up_there());
    EXPECT_FALSE(here_first ? stage.come_up_here() : stage.come_up_there()) << "once is enough";
    EXPECT_FALSE(stage.go_up());
    EXPECT_TRUE(here_first ? stage.come_up_there() : stage.come_up_here());
    EXPECT_TRUE(stage.coming_up());
    EXPECT_FALSE(stage.up());
    EXPECT_TRUE(stage.go_up());
    EXPECT_FALSE(stage.go_up());
    EXPECT_FALSE(stage.coming_up());
    EXPECT_TRUE(stage.up());
  }
}

TEST(EngineLinkStage, APeerThatClosesIsHeardToItsEnd) {
  LinkStage stage;
  come_up(stage);
  const TimePoint until = TimePoint() + 2s;
  EXPECT_TRUE(stage.peer_begins_to_close(kWhy, until));
  EXPECT_FALSE(stage.peer_begins_to_close(kWhy, until));
  EXPECT_TRUE(stage.up());
  EXPECT_TRUE(stage.peer_closes());
  EXPECT_FALSE(stage.ending());
  EXPECT_FALSE(stage.last_words_over(until));
  EXPECT_TRUE(stage.last_words_over(until + 1ns));
  EXPECT_TRUE(stage.begin_to_end(stage.why()));
  EXPECT_FALSE(stage.up());
  EXPECT_FALSE(stage.peer_closes());
  EXPECT_EQ(stage.why().message(), kWhy.message());
}

TEST(EngineLinkStage, EndsOnceAndForTheFirstReason) {
  LinkStage stage;
  EXPECT_FALSE(stage.begin_to_finish());
  EXPECT_TRUE(stage.begin_to_end(kWhy));  // it was never up
  EXPECT_FALSE(stage.begin_to_end(Error(Code::cancelled, "too late")));
  EXPECT_EQ(stage.why().code(), Code::peer);
  EXPECT_FALSE(stage.end());
  EXPECT_TRUE(stage.begin_to_finish());
  EXPECT_FALSE(stage.begin_to_finish()) << "somebody does it already";
  EXPECT_TRUE(stage.ending());
  EXPECT_FALSE(stage.ended());
  EXPECT_TRUE(stage.end());
  EXPECT_TRUE(stage.ended());
}

TEST(EngineLinkStage, NothingComesUpOnceItEnds) {
  LinkStage stage;
  EXPECT_TRUE(stage.come_up_here());
  EXPECT_TRUE(stage.begin_to_end(kWhy));
  EXPECT_FALSE(stage.come_up_there());
  EXPECT_FALSE(stage.go_up());
  EXPECT_FALSE(stage.peer_begins_to_close(kWhy, {}));
  EXPECT_FALSE(stage.coming_up());
  EXPECT_FALSE(stage.up());
}

}  // namespace
}  // namespace hawser::engine
