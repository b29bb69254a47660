// How the end of a transfer is told: by callbacks, by a descriptor, by reports.
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

#include "engine/fixture.h"

namespace hawser::test {
namespace {

class HandleEvents : public EngineTest {
 protected:
  static bool readable(int fd, int timeout_ms) {
    pollfd one{fd, POLLIN, 0};
    return ::poll(&one, 1, timeout_ms) == 1;
  }
};

TEST_P(HandleEvents, CallbackComesOnceFromAnotherThread) {
  const auto from = near_piece(variant().chunk());
  const auto to = far_piece(variant().chunk());
  // It cannot end before there is somebody to be told.
  const Transfer receive = far().recv(1, to->region.span(0, variant().chunk()));
  std::promise<std::thread::id> called;
  std::atomic<int> calls{0};
  receive.on_done([&](const Status&) { ADD_FAILURE() << "it was replaced"; });
  receive.on_done([&](const Status& came) {
    EXPECT_OK(came);
    EXPECT_TRUE(receive.done());
    if (calls.fetch_add(1) == 0) called.set_value(std::this_thread::get_id());
  });
  ASSERT_OK(outcome(near().send(1, from->region.span(0, variant().chunk()))));
  ASSERT_OK(outcome(receive));
  EXPECT_NE(called.get_future().get(), std::this_thread::get_id());
  // Of what has ended it comes at once, from here.
  std::thread::id where;
  receive.on_done([&](const Status& came) {
    EXPECT_OK(came);
    where = std::this_thread::get_id();
  });
  EXPECT_EQ(where, std::this_thread::get_id());
  EXPECT_EQ(calls.load(), 1);
}

TEST_P(HandleEvents, CallbackTellsOfFailures) {
  const auto to = far_piece(10);
  std::promise<Status> cancelled, refused;
  const Transfer receive = far().recv(1, to->region.span(0, 10));
  receive.on_done([&](const Status& came) { cancelled.set_value(came); });
  receive.cancel();
  EXPECT_CODE(cancelled.get_future().get(), Code::cancelled);
  far().recv(1, to->region.span(0, 11)).on_done([&](const Status& came) {
    refused.set_value(came);
  });
  EXPECT_CODE(refused.get_future().get(), Code::invalid_argument);
  std::promise<Status> closed;
  far().recv(1, to->region.span(0, 10)).on_done([&](const Status& came) {
    closed.set_value(came);
  });
  far().close();
  EXPECT_CODE(closed.get_future().get(), Code::cancelled);
}

// A chain of transfers of all kinds, each begun by the one before, and its handle let go.
TEST_P(HandleEvents, CallbacksMaySubmit) {
  const std::size_t bytes = variant().chunk() + 1;
  const auto here = near_piece(bytes);
  const auto there = far_piece(bytes);
  here->memory.fill(1);
  there->memory.fill(1);
  std::promise<void> all;
  int left = 60;
  std::function<void(const Status&)> next = [&](const Status& came) {
    EXPECT_OK(came);
    if (left-- == 0) {
      all.set_value();
      return;
    }
    switch (left % 4) {
      case 0:
        near().write(here->region.span(0, bytes), there->remote.at(0)).on_done(next);
        break;
      case 1:
        far().read(there->region.span(0, bytes), here->remote.at(0)).on_done(next);
        break;
      case 2:
        static_cast<void>(far().send(1, there->region.span(0, 100)));
        near().recv(1, here->region.span(0, 100)).on_done(next);
        break;
      default:
        near().notify("x").on_done(next);
        break;
    }
  };
  next({});
  ASSERT_EQ(all.get_future().wait_for(Milliseconds(kPatienceMs)), std::future_status::ready);
}

TEST_P(HandleEvents, DescriptorTellsOfEachKindOfEvent) {
  const int here = client().event_fd();
  const int there = server().event_fd();
  const auto from = near_piece(100);
  const auto to = far_piece(100);
  const auto clear = [&] {
    client().clear_event();
    server().clear_event();
  };
  clear();
  const Transfer receive = far().recv(1, to->region.span(0, 100));
  EXPECT_FALSE(readable(there, 0));
  ASSERT_OK(outcome(near().send(1, from->region.span(0, 100))));
  EXPECT_TRUE(readable(here, kPatienceMs));
  EXPECT_TRUE(readable(there, kPatienceMs));
  ASSERT_OK(outcome(receive));
  ASSERT_OK(outcome(near().notify("one")));
  EXPECT_TRUE(readable(there, kPatienceMs));
  EXPECT_EQ(next_notification(far()), "one");
  clear();
  const Links other = make_links();
  EXPECT_TRUE(readable(there, kPatienceMs));
  other.far.close();
  EXPECT_TRUE(eventually([&] { return !other.near.up(); }));
  clear();
  near().close();
  EXPECT_TRUE(readable(here, kPatienceMs));
  EXPECT_TRUE(readable(there, kPatienceMs));
}

// An event loop as the header says: clear, then look, then sleep. No event may be lost.
TEST_P(HandleEvents, AnEventLoopMissesNothing) {
  constexpr int kCount = 500;
  const int fd = server().event_fd();
  std::thread teller([&] {
    for (int i = 0; i < kCount; ++i) {
      const Transfer told = near().notify(std::to_string(i));
      if (i % 50 == 0) static_cast<void>(outcome(told));
    }
  });
  int taken = 0;
  while (taken < kCount) {
    const bool woken = readable(fd, kPatienceMs);
    EXPECT_TRUE(woken) << "after " << taken;
    if (!woken) break;
    server().clear_event();
    while (const auto got = far().take_notification())
      EXPECT_EQ(got->text, std::to_string(taken++));
  }
  teller.join();
}

TEST_P(HandleEvents, DescriptorThatIsAskedForLate) {
  if (variant().kept) GTEST_SKIP() << "others have asked before";
  ASSERT_OK(outcome(near().notify("early")));
  EXPECT_TRUE(readable(client().event_fd(), 0));
  EXPECT_TRUE(readable(server().event_fd(), 0));
}

TEST_P(HandleEvents, ReportsAddUp) {
  const std::size_t bytes = 5 * variant().chunk() + 1;
  const auto here = near_piece(bytes);
  const auto there = far_piece(bytes);
  ASSERT_OK(outcome(near().write(here->region.span(0, bytes), there->remote.at(0))));
  ASSERT_OK(outcome(near().read(here->region.span(0, bytes - 9), there->remote.at(0))));
  const auto sum = [](const LinkReport& report, auto member) {
    std::uint64_t total = 0;
    for (const ChannelReport& channel : report.channels) total += channel.*member;
    return total;
  };
  const LinkReport report = near().report();
  EXPECT_TRUE(report.up);
  EXPECT_EQ(report.reason, "");
  EXPECT_EQ(report.peer, near().peer());
  ASSERT_FALSE(report.channels.empty());
  if (variant().channels != 0 && variant().plugin == "builtin") {
    EXPECT_EQ(report.channels.size(), static_cast<std::size_t>(variant().channels));
  }
  EXPECT_EQ(sum(report, &ChannelReport::bytes_sent), bytes);
  EXPECT_EQ(sum(report, &ChannelReport::bytes_received), bytes - 9);
  EXPECT_EQ(sum(report, &ChannelReport::bytes_sent_again), 0u);
  EXPECT_EQ(sum(report, &ChannelReport::failures), 0u);
  // One that came late may have been left to the background.
  EXPECT_TRUE(eventually([&] {
    return std::ranges::all_of(near().report().channels, [](const ChannelReport& channel) {
      return channel.state == ChannelState::up;
    });
  }));
  // The peer may hear of the last of it later.
  EXPECT_TRUE(eventually([&] {
    const LinkReport other = far().report();
    return sum(other, &ChannelReport::bytes_received) == bytes &&
           sum(other, &ChannelReport::bytes_sent) == bytes - 9;
  }));
}

HAWSER_ENGINE_SUITE(HandleEvents);

}  // namespace
}  // namespace hawser::test
