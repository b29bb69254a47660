#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "tcp/message_window.h"

namespace hawser::tcp {
namespace {

struct Numbered : Request {
  int number = 0;
};
using Window = MessageWindow<Numbered, 4>;

Numbered* push(Window& window, int number) {
  Numbered* const message = window.push();
  if (message != nullptr) message->number = number;
  return message;
}

TEST(TcpMessageWindow, TakesAsManyAsItHasSlots) {
  Window window;
  for (int i = 0; i < 4; ++i) EXPECT_NE(push(window, i), nullptr);
  EXPECT_EQ(push(window, 4), nullptr);
  EXPECT_EQ(window.in_flight(), 4u);
}

TEST(TcpMessageWindow, ASlotIsFreeAfterReleaseNotAfterFinish) {
  Window window;
  Numbered* const first = push(window, 0);
  for (int i = 1; i < 4; ++i) push(window, i);
  window.finish_oldest();
  EXPECT_TRUE(window.finished(*first));
  EXPECT_EQ(push(window, 4), nullptr);
  window.release(*first);
  EXPECT_EQ(push(window, 4), first);
  EXPECT_FALSE(window.finished(*first));
}

TEST(TcpMessageWindow, FindsOnlyWhatIsInFlight) {
  Window window;
  Numbered* const message = push(window, 0);
  EXPECT_EQ(window.find(message), message);
  Request elsewhere;
  EXPECT_EQ(window.find(&elsewhere), nullptr);
  EXPECT_EQ(window.find(nullptr), nullptr);
  auto* const inside = reinterpret_cast<Request*>(reinterpret_cast<char*>(message) + 1);
  EXPECT_EQ(window.find(inside), nullptr);
  window.finish_oldest();
  EXPECT_EQ(window.find(message), message);
  window.release(*message);
  EXPECT_EQ(window.find(message), nullptr);
}

// Against a plain list of what must be unfinished, in order.
TEST(TcpMessageWindow, KeepsPostingOrderWhateverIsReleasedWhen) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  Window window;
  std::vector<Numbered*> unfinished, finished;
  for (int step = 0; step < 10000; ++step) {
    switch (random() % 3) {
      case 0:
        if (Numbered* const message = push(window, step)) unfinished.push_back(message);
        break;
      case 1:
        if (unfinished.empty()) break;
        window.finish_oldest();
        finished.push_back(unfinished.front());
        unfinished.erase(unfinished.begin());
        break;
      default:
        if (finished.empty()) break;
        const auto victim = finished.begin() + static_cast<long>(random() % finished.size());
        window.release(**victim);
        finished.erase(victim);
    }
    ASSERT_EQ(window.unfinished(), unfinished.size());
    ASSERT_EQ(window.in_flight(), unfinished.size() + finished.size());
    for (std::size_t i = 0; i < unfinished.size(); ++i)
      ASSERT_EQ(&window.unfinished(i), unfinished[i]);
    for (const Numbered* message : finished) ASSERT_TRUE(window.finished(*message));
  }
}

}  // namespace
}  // namespace hawser::tcp
