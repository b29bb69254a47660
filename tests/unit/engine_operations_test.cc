#include <gtest/gtest.h>
#include <malloc.h>

#include <memory>
#include <vector>

#include "engine/operations/operations.h"
#include "support/sanitizers.h"

namespace hawser::engine {
namespace {

class EngineOperations : public testing::Test {
 protected:
  Request request(int timeout_ms) const {
    Request request;
    request.region = RegionUse::begin(region_, LocalRegion::User::owner);
    const Block block{0, 0, memory_.size()};
    request.blocks = *BlockList::create(std::span(&block, 1), memory_.size(), memory_.size());
    request.timeout_ms = timeout_ms;
    return request;
  }

  std::vector<std::byte> memory_ = std::vector<std::byte>(100);
  std::shared_ptr<LocalRegion> region_ = std::make_shared<LocalRegion>(
      wire::Key{}, MemoryRange{memory_.data(), memory_.size()}, Rights::none, nullptr);
  RegionTable table_;
  EventBell bell_;
  const wire::Room room_{10'000, 10'000, 10'000};
  Operations operations_{table_,
                         bell_,
                         [](std::uint64_t) {},
                         {.ending = Milliseconds(500), .room_here = room_, .room_there = room_}};
};

// Their time limits go with them.
TEST_F(EngineOperations, WhatHasEndedLeavesNothingBehind) {
  if (test::kSanitized) GTEST_SKIP() << "the sanitizers' heap is not counted";
  constexpr int kHour = 3'600'000;
  std::size_t before = 0;
  std::uint64_t op = 0;
  for (int round = 0; round < 5'000; ++round) {
    if (round == 1000) before = mallinfo2().uordblks;
    const auto write = operations_.write({}, request(kHour), {}, "");
    const auto receive = operations_.receive({}, 1, request(kHour));
    operations_.stop(++op, Error(Code::cancelled, "enough"));
    operations_.stop(++op, Error(Code::cancelled, "enough"));
    ASSERT_TRUE(write->done() && receive->done());
  }
  EXPECT_LT(mallinfo2().uordblks, before + 20'000) << "more than a byte for each";
}

TEST_F(EngineOperations, EndAtTheirDeadlinesOrWithTheirRegion) {
  const auto early = operations_.write({}, request(10), {}, "");
  const auto late = operations_.write({}, request(100'000), {}, "");
  const TimePoint now = Clock::system().now();
  EXPECT_EQ(operations_.look_at_deadlines(now + std::chrono::seconds(1)), nullptr);
  EXPECT_TRUE(early->done());
  EXPECT_EQ(early->outcome().error().code(), Code::timeout);
  EXPECT_FALSE(late->done());
  operations_.stop(*region_, Error(Code::cancelled, "gone"));
  EXPECT_TRUE(late->done());
  region_->close();
  EXPECT_TRUE(region_->wait_unused(Deadline::after(Milliseconds(0))));
}

// A chunk that a channel has, and whose acknowledgement never comes.
TEST_F(EngineOperations, WhatAChannelHasEndsByForceAfterItsTime) {
  const auto write = operations_.write({}, request(0), {}, "told");
  std::vector<OutChunk> taken;
  operations_.take_chunks({10, 1000, 1, 1, 1000, 1}, taken);
  ASSERT_EQ(taken.size(), 1u);
  operations_.stop(1, Error(Code::cancelled, "enough"));
  EXPECT_FALSE(write->done()) << "all of it is on its way";
  const TimePoint now = Clock::system().now();
  EXPECT_EQ(operations_.look_at_deadlines(now), nullptr);
  const auto forced = operations_.look_at_deadlines(now + 2 * Milliseconds(500));
  ASSERT_NE(forced, nullptr);
  EXPECT_TRUE(forced->outgoing.contains(taken[0].op));
  EXPECT_FALSE(write->done()) << "its channel may be reading it still";
  operations_.let_go(*forced);
  ASSERT_TRUE(write->done());
  EXPECT_EQ(write->outcome().error().code(), Code::timeout);
  operations_.acknowledged(taken, {});  // late: nobody minds
  operations_.send_again({}, taken);
  EXPECT_EQ(operations_.unsent_bytes(), 0u);
}

}  // namespace
}  // namespace hawser::engine
