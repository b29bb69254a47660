// What one lost message may make the peer hold back.
#include <gtest/gtest.h>

#include "engine/operations/order_window.h"

namespace hawser::engine {
namespace {

TEST(EngineOrderWindow, ClosesWhenOneIsMissingAndOpensWhenItIsThere) {
  OrderWindow window;
  EXPECT_TRUE(window.admits(1));
  EXPECT_TRUE(window.admits(OrderWindow::kMostAhead));
  EXPECT_FALSE(window.admits(OrderWindow::kMostAhead + 1));
  for (std::uint64_t order = 2; order <= OrderWindow::kMostAhead; ++order)
    window.acknowledged(order);
  EXPECT_FALSE(window.admits(OrderWindow::kMostAhead + 1));
  window.acknowledged(1);
  EXPECT_TRUE(window.admits(2 * OrderWindow::kMostAhead));
  EXPECT_FALSE(window.admits(2 * OrderWindow::kMostAhead + 1));
}

}  // namespace
}  // namespace hawser::engine
