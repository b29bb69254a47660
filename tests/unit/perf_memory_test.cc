#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perf/agreement.h"
#include "support/scoped_env.h"

namespace hawser {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

TEST(PerfMemory, WhatAClientNamesIsBounded) {
  const test::ScopedEnvironment most("HAWSER_PERF_BYTES", "1073741824");
  EXPECT_TRUE(check_memory(512 * kMiB, 16, PerfOver::link, 0).ok()) << "one ring each way";
  EXPECT_TRUE(check_memory(32 * kMiB, 16, PerfOver::net, 0).ok()) << "one for each channel";
  const Status many = check_memory(33 * kMiB, 16, PerfOver::net, 0);
  ASSERT_FALSE(many.ok());
  EXPECT_EQ(many.error().code(), Code::peer);
  EXPECT_THAT(many.error().message(), testing::HasSubstr("HAWSER_PERF_BYTES"));
  EXPECT_FALSE(check_memory(512 * kMiB, 1, PerfOver::link, 1).ok()) << "bare sockets count, too";
  EXPECT_FALSE(check_memory(UINT64_MAX, 1, PerfOver::link, 0).ok());
}

TEST(PerfMemory, IsAPartOfTheMachinesUnlessItIsGiven) {
  const test::ScopedEnvironment none("HAWSER_PERF_BYTES", nullptr);
  EXPECT_TRUE(check_memory(64 * kMiB, 1, PerfOver::link, 1).ok());
  EXPECT_FALSE(check_memory(std::uint64_t{1} << 40, 1, PerfOver::link, 0).ok());
}

}  // namespace
}  // namespace hawser
