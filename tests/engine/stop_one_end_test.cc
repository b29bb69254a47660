// What is stopped has one end, the same on both sides.
#include <random>
#include <set>
#include <thread>

#include "engine/fixture.h"
#include "support/seed.h"

namespace hawser::test {
namespace {

class StopOneEnd : public EngineTest {
 protected:
  // Lengths that travel in a frame, as one chunk and as several.
  std::size_t some_length() {
    const std::size_t lengths[] = {100, 9000, 3 * static_cast<std::size_t>(variant().chunk())};
    return lengths[random_() % 3];
  }
  void wait_a_little() {
    const auto until = Clock::system().now() + std::chrono::microseconds(random_() % 400);
    while (Clock::system().now() < until) std::this_thread::yield();
  }

  std::mt19937_64 random_{seed_of_this_run()};
};

// A write that was cancelled is told to nobody; one that was told is done.
TEST_P(StopOneEnd, OfWritesWithANotification) {
  const auto here = near_piece(3 * variant().chunk());
  const auto there = far_piece(3 * variant().chunk());
  std::set<std::string> done, told;
  for (int i = 0; i < 80; ++i) {
    TransferOptions options;
    options.notification = std::to_string(i);
    const Transfer write =
        near().write(here->region.span(0, some_length()), there->remote.at(0), options);
    wait_a_little();
    write.cancel();
    const Status came = outcome(write);
    if (came.ok())
      done.insert(options.notification);
    else
      EXPECT_CODE(came, Code::cancelled);
  }
  ASSERT_OK(outcome(near().notify("end")));
  for (std::string text; (text = next_notification(far())) != "end" && !text.empty();)
    told.insert(text);
  EXPECT_EQ(done, told);
}

TEST_P(StopOneEnd, OfMessagesWhicheverSideStopsThem) {
  for (int i = 0; i < 60; ++i) {
    const std::size_t bytes = some_length();
    const auto from = near_piece(bytes);
    const auto to = far_piece(bytes);
    const Transfer receive = far().recv(1, to->region.span(0, bytes));
    const Transfer send = near().send(1, from->region.span(0, bytes));
    wait_a_little();
    (i % 2 == 0 ? send : receive).cancel();
    const Status first = outcome(i % 2 == 0 ? send : receive);
    // Where they had not met yet, the other waits for another.
    if (!first.ok()) (i % 2 == 0 ? receive : send).cancel();
    EXPECT_EQ(outcome(send).ok(), outcome(receive).ok());
  }
}

// Whoever deregisters at random moments sees the same.
TEST_P(StopOneEnd, OfWritesWhoseRegionGoes) {
  std::set<std::string> done, told;
  const auto there = far_piece(3 * variant().chunk());
  for (int i = 0; i < 20; ++i) {
    const auto here = near_piece(3 * variant().chunk());
    TransferOptions options;
    options.notification = std::to_string(i);
    const Transfer write =
        near().write(here->region.span(0, some_length()), there->remote.at(0), options);
    wait_a_little();
    ASSERT_OK(here->region.deregister(InFlight::fail));
    if (outcome(write).ok()) done.insert(options.notification);
  }
  ASSERT_OK(outcome(near().notify("end")));
  for (std::string text; (text = next_notification(far())) != "end" && !text.empty();)
    told.insert(text);
  EXPECT_EQ(done, told);
}

HAWSER_ENGINE_SUITE(StopOneEnd);

}  // namespace
}  // namespace hawser::test
