#include <gtest/gtest.h>

#include "engine/operations/tag_match.h"

namespace hawser::engine {
namespace {

std::shared_ptr<Inbound> receive(std::uint64_t tag) {
  auto inbound = std::make_shared<Inbound>();
  inbound->tag = tag;
  return inbound;
}

Announced message(std::uint64_t op) {
  Announced announced;
  announced.peer_op = op;
  return announced;
}

TEST(EngineTagMatch, TheOldestOfATagMeet) {
  TagMatch tags;
  const auto first = receive(7), second = receive(7), other = receive(8);
  for (const auto& it : {first, second, other}) {
    EXPECT_FALSE(tags.add(it));
    EXPECT_TRUE(it->posted);
  }
  Announced one = message(1);
  EXPECT_EQ(tags.add(7, one).value(), first);
  EXPECT_FALSE(first->posted);
  EXPECT_EQ(tags.add(7, one).value(), second);
  EXPECT_EQ(tags.add(7, one).value(), nullptr);  // it waits
  EXPECT_EQ(tags.add(8, one).value(), other);
  Announced two = message(2);
  EXPECT_EQ(tags.add(7, two).value(), nullptr);
  EXPECT_EQ(tags.add(receive(7))->peer_op, 1u);
  EXPECT_EQ(tags.add(receive(7))->peer_op, 2u);
  EXPECT_FALSE(tags.add(receive(7)));
}

TEST(EngineTagMatch, WhatIsTakenBackMeetsNobody) {
  TagMatch tags;
  const auto gone = receive(7), left = receive(7);
  tags.add(gone);
  tags.add(left);
  tags.remove(gone);
  Announced one = message(1), two = message(2);
  EXPECT_EQ(tags.add(7, one).value(), left);
  EXPECT_EQ(tags.add(7, two).value(), nullptr);
  EXPECT_TRUE(tags.remove_message(2));
  EXPECT_FALSE(tags.remove_message(2));
  EXPECT_FALSE(tags.add(receive(7)));
}

TEST(EngineTagMatch, NoMessageWaitsTwice) {
  TagMatch tags;
  Announced one = message(1), again = message(1);
  EXPECT_EQ(tags.add(7, one).value(), nullptr);
  EXPECT_EQ(tags.add(8, again).error().code(), Code::protocol);
  EXPECT_TRUE(tags.remove_message(1));
  EXPECT_TRUE(tags.add(8, again).ok());
}

}  // namespace
}  // namespace hawser::engine
