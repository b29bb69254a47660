#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/kernel_counts.h"

namespace hawser::node {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kMoved = std::uint64_t{336} << 20;

std::vector<std::string> compared(std::uint64_t sent, std::uint64_t counted) {
  Accounts books;
  Account& nic = books.nics.emplace_back();
  nic.name = "eth1";
  nic.moved.sent = sent;
  return compare(books, {{"eth1", {counted, 0}}});
}

TEST(NodeKernelCounts, HeadersAndALittleElseFit) {
  EXPECT_TRUE(compared(kMoved, kMoved).empty());
  EXPECT_TRUE(compared(kMoved, kMoved + kMoved / 10).empty());
  EXPECT_TRUE(compared(0, 1000).empty());
}

TEST(NodeKernelCounts, DataThatTookAnotherNicIsSaid) {
  ASSERT_EQ(compared(kMoved, 558).size(), 1u);
  EXPECT_THAT(compared(kMoved, 558)[0],
              HasSubstr("eth1: 352321536 bytes sent by its channels, 558"));
  EXPECT_THAT(compared(kMoved, 2 * kMoved).at(0), HasSubstr("another NIC's data"));
}

TEST(NodeKernelCounts, WhatTheKernelDoesNotCountIsNotCompared) {
  Accounts books;
  books.nics.emplace_back().moved.sent = kMoved;
  EXPECT_TRUE(compare(books, {}).empty());
}

}  // namespace
}  // namespace hawser::node
