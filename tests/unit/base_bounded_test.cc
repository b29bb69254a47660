#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "base/bounded.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;

TEST(Bounded, WaitsForWorkThatComesBack) {
  bool worked = false;
  const auto back = run_bounded([&] { worked = true; }, 20000ms);
  ASSERT_TRUE(back.ok());
  EXPECT_TRUE(*back);
  EXPECT_TRUE(worked);
}

TEST(Bounded, LetsGoOfWhatTheWorkHeldBeforeItReturns) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = held;
  ASSERT_TRUE(run_bounded([held = std::move(held)] {}, 20000ms).ok());
  EXPECT_TRUE(watched.expired());
}

TEST(Bounded, LeavesBehindWhatDoesNotComeBack) {
  auto release = std::make_shared<std::promise<void>>();
  auto left = std::make_shared<std::promise<void>>();
  const auto back = run_bounded(
      [release, left] {
        release->get_future().wait();
        left->set_value();
      },
      50ms);
  ASSERT_TRUE(back.ok());
  EXPECT_FALSE(*back);
  release->set_value();
  left->get_future().wait();  // the thread is still good for its work
}

}  // namespace
}  // namespace hawser
