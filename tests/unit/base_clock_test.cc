#include <gtest/gtest.h>

#include <cstdlib>

#include "base/clock.h"

namespace hawser {
namespace {

// Handlers run in reverse order: this one after the end of every static object made since.
void still_tells_the_time() {
  if (Clock::system().now() > TimePoint{}) std::_Exit(7);
}

// A plugin may call exit() while our threads are at work.
TEST(SystemClockDeathTest, IsThereDuringExit) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        std::atexit(still_tells_the_time);
        (void)Clock::system().now();
        std::exit(1);
      },
      testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace hawser
