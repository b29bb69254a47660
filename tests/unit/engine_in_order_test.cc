#include <gtest/gtest.h>

#include <string>

#include "engine/operations/in_order.h"
#include "engine/operations/operation.h"

namespace hawser::engine {
namespace {

// Notifications, delivered as their texts, one behind the other.
class EngineInOrder : public testing::Test {
 protected:
  Status take(std::uint64_t order, std::string_view text) {
    const std::vector<std::byte> bytes = bytes_of(text);
    return in_order_.take(order, wire::Notify{bytes}, [this](const wire::Record& record) -> Status {
      const std::string_view it = text_of(std::get<wire::Notify>(record).text);
      if (it == "!") return Error(Code::protocol, "no such thing");
      delivered_ += it;
      return {};
    });
  }

  InOrder in_order_;
  std::string delivered_;
};

TEST_F(EngineInOrder, WhatComesEarlyWaitsForItsTurn) {
  EXPECT_TRUE(take(3, "c").ok());
  EXPECT_TRUE(take(2, "b").ok());
  EXPECT_EQ(delivered_, "");
  EXPECT_TRUE(take(1, "a").ok());
  EXPECT_EQ(delivered_, "abc");
  EXPECT_TRUE(take(4, "d").ok());
  EXPECT_EQ(delivered_, "abcd");
}

TEST_F(EngineInOrder, NoNumberComesTwice) {
  EXPECT_TRUE(take(1, "a").ok());
  EXPECT_EQ(take(1, "a").error().code(), Code::protocol);
  EXPECT_EQ(take(0, "a").error().code(), Code::protocol);
  EXPECT_TRUE(take(3, "c").ok());
  EXPECT_EQ(take(3, "c").error().code(), Code::protocol);
  EXPECT_EQ(delivered_, "a");
}

TEST_F(EngineInOrder, AfterAnErrorNothingIsDelivered) {
  EXPECT_TRUE(take(2, "!").ok());
  EXPECT_TRUE(take(3, "c").ok());
  EXPECT_EQ(take(1, "a").error().code(), Code::protocol);
  EXPECT_EQ(delivered_, "a");
}

TEST_F(EngineInOrder, HoldsNoMoreThanItsBound) {
  std::uint64_t order = 2;
  while (order < 100'000 && take(order, "x").ok()) ++order;
  EXPECT_EQ(order, 2u + 65536);
}

}  // namespace
}  // namespace hawser::engine
