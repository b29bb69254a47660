#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "net/tcp/message_window.h"

namespace hawser::tcp {
namespace {

using Window = MessageWindow<MessageBase>;

TEST(TcpMessageWindow, TakesAsManyAsItHasPlaces) {
  Window window;
  for (std::uint32_t i = 0; i < kMaxRequests; ++i) {
    MessageBase* const message = window.push();
    ASSERT_NE(message, nullptr);
    EXPECT_EQ(message->sequence, i);
    EXPECT_EQ(&window.at(i), message);
  }
  EXPECT_EQ(window.push(), nullptr);
  EXPECT_EQ(window.in_flight(), kMaxRequests);
}

TEST(TcpMessageWindow, APlaceIsFreeAfterRelease) {
  Window window;
  MessageBase* const first = window.push();
  for (std::size_t i = 1; i < kMaxRequests; ++i) window.push();
  window.release(*first);
  EXPECT_EQ(window.push(), first);
  EXPECT_EQ(first->sequence, kMaxRequests);
}

// The next message's place is decided by its sequence: another one that is free does not do.
TEST(TcpMessageWindow, APlaceOfALaterMessageDoesNotHelp) {
  Window window;
  std::vector<MessageBase*> all;
  for (std::size_t i = 0; i < kMaxRequests; ++i) all.push_back(window.push());
  window.release(*all[5]);
  EXPECT_EQ(window.push(), nullptr);
  EXPECT_EQ(window.in_flight(), kMaxRequests - 1);
  window.release(*all[0]);
  EXPECT_EQ(window.push(), all[0]);
}

TEST(TcpMessageWindow, FindsOnlyWhatIsInFlight) {
  Window window;
  MessageBase* const message = window.push();
  EXPECT_EQ(window.find(message), message);
  Request elsewhere;
  EXPECT_EQ(window.find(&elsewhere), nullptr);
  EXPECT_EQ(window.find(nullptr), nullptr);
  auto* const inside = reinterpret_cast<Request*>(reinterpret_cast<char*>(message) + 1);
  EXPECT_EQ(window.find(inside), nullptr);
  window.release(*message);
  EXPECT_EQ(window.find(message), nullptr);
}

}  // namespace
}  // namespace hawser::tcp
