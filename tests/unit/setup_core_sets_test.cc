#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "setup/core_sets.h"

namespace hawser {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(CoreSets, AreReadPerInterface) {
  const auto sets = parse_core_sets("eth1:8-10,112-113;eth2:60-61;");
  ASSERT_TRUE(sets.ok()) << sets.error().message();
  ASSERT_EQ(sets->size(), 2u);
  EXPECT_EQ((*sets)[0].interface, "eth1");
  EXPECT_THAT((*sets)[0].cpus, ElementsAre(8, 9, 10, 112, 113));
  EXPECT_EQ((*sets)[1].interface, "eth2");
  EXPECT_THAT((*sets)[1].cpus, ElementsAre(60, 61));
  EXPECT_THAT(*parse_core_sets(""), IsEmpty());
}

TEST(CoreSets, WhatThePluginWouldPassOverIsAnError) {
  for (const char* bad : {"eth1", "eth1:", ":8-9", "eth1:a-b", "eth1:9-8", "eth1:8-9,x", "eth1:-1",
                          "eth1:8-9;eth2", "eth1:0-99999999"})
    EXPECT_FALSE(parse_core_sets(bad).ok()) << bad;
}

TEST(CoreSets, OneCoreIsWrittenAsARange) {
  const auto sets = parse_core_sets("eth1:8-9,12");
  ASSERT_FALSE(sets.ok());
  EXPECT_THAT(sets.error().message(), HasSubstr("12-12"));
}

TEST(CoreSets, SharedCoresAreFound) {
  EXPECT_THAT(shared_cpus({8, 9, 10}, {10, 11}), ElementsAre(10));
  EXPECT_THAT(shared_cpus({8, 9}, {10, 11}), IsEmpty());
}

}  // namespace
}  // namespace hawser
