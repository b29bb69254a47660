// A bounce pool with too few pages.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "emu_place_test.h"

namespace hawser::emu_test {
namespace {

constexpr int kPage = 4096;

class EmuPool : public EmuPlaceTest {
 protected:
  void SetUp() override {
    EmuPlaceTest::SetUp();
    environment["HAWSER_EMU_POOL_PAGES"] = "16";
    environment["HAWSER_EMU_FRAGMENTS"] = "pages";
  }
};

// A connection with one message under way, which the kernel has.
struct OneMessage : Connected {
  OneMessage(Plugin& plugin, int pages) : Connected(plugin) { post(pages); }

  void post(int pages) {
    void* sending = nullptr;
    int sent = 0;
    ASSERT_EQ(send(source.data(), pages * kPage, &sending), 0);
    ASSERT_EQ(receive(destination.data(), pages * kPage, &receiving), 0);
    ASSERT_TRUE(eventually([&] { return test(sending, &sent) != 0 || sent; }));
    done = 0;
  }
  bool poll() {
    if (!done) {
      EXPECT_EQ(test(receiving, &done), 0);
    }
    return done;
  }
  bool arrives() {
    return eventually([&] { return poll() || ::testing::Test::HasFailure(); }) && done;
  }
  // Until it has stood still for want of a page that often.
  void stand(const Plugin& plugin, int times = 10) {
    const std::uint64_t before = plugin.stats().pool_exhausted;
    ASSERT_TRUE(eventually([&] {
      return poll() || plugin.stats().pool_exhausted >= before + static_cast<std::uint64_t>(times);
    }));
    EXPECT_FALSE(done);
  }

  void* receiving = nullptr;
  int done = 0;
};

TEST_P(EmuPool, HoldsAReceiveUntilPagesComeBack) {
  Plugin plugin(environment);
  OneMessage first(plugin, 12);
  ASSERT_TRUE(first.arrives());
  OneMessage second(plugin, 12);
  second.stand(plugin);
  EXPECT_EQ(plugin.stats().pages_in_use, 16U);
  EXPECT_EQ(plugin.stats().max_pages_in_use, 16U);
  expect_received(first, 0, 12 * kPage);
  ASSERT_EQ(first.consume(first.receiving), 0);
  ASSERT_TRUE(second.arrives());
  expect_received(second, 0, 12 * kPage);
  EXPECT_EQ(second.consume(second.receiving), 0);
  EXPECT_EQ(plugin.stats().max_pages_in_use, 16U);
  EXPECT_EQ(plugin.stats().pages_in_use, 0U);
  EXPECT_GT(plugin.stats().pool_starved_us, 0U);
  EXPECT_EQ(plugin.stats().violations, 0U) << plugin.stats().last_violation;
}

TEST_P(EmuPool, ServesFirstWhoHasWaitedLongest) {
  Plugin plugin(environment);
  OneMessage all(plugin, 16);
  ASSERT_TRUE(all.arrives());
  OneMessage early(plugin, 12);
  early.stand(plugin);
  OneMessage late(plugin, 12);
  late.stand(plugin);
  ASSERT_EQ(all.consume(all.receiving), 0);
  // Whoever asks: 12 pages are kept for the earlier one, and 4 are left over.
  ASSERT_TRUE(eventually([&] { return late.poll() || plugin.stats().pages_in_use == 4; }));
  late.stand(plugin);
  EXPECT_EQ(plugin.stats().pages_in_use, 4U);
  ASSERT_TRUE(early.arrives());
  late.stand(plugin);
  ASSERT_EQ(early.consume(early.receiving), 0);
  ASSERT_TRUE(late.arrives());
  expect_received(late, 0, 12 * kPage);
  EXPECT_EQ(late.consume(late.receiving), 0);
  EXPECT_EQ(plugin.stats().pages_in_use, 0U);
}

// A comm that always has the next receive posted, and asks far more often.
TEST_P(EmuPool, ABusyCommDoesNotStarveAnother) {
  Plugin plugin(environment);
  OneMessage busy(plugin, 12);
  ASSERT_TRUE(busy.arrives());
  OneMessage other(plugin, 12);
  other.stand(plugin);
  int finished = 0;
  for (; !other.done && finished < 100; ++finished) {
    ASSERT_TRUE(eventually([&] { return busy.poll() || other.poll(); }));
    if (!busy.done) break;
    void* const whole = busy.receiving;
    busy.post(12);
    ASSERT_EQ(busy.consume(whole), 0);
    for (int i = 0; i < 100 && !busy.poll(); ++i) {
    }
    other.poll();
  }
  EXPECT_TRUE(other.arrives());
  EXPECT_LT(finished, 3);
  EXPECT_EQ(other.consume(other.receiving), 0);
  EXPECT_TRUE(busy.arrives());
  EXPECT_EQ(busy.consume(busy.receiving), 0);
}

TEST_P(EmuPool, WhoIsClosedOrBrokenWaitsNoMore) {
  environment["HAWSER_EMU_PEER_DEATH"] = "6";
  Plugin plugin(environment);
  OneMessage all(plugin, 16);
  ASSERT_TRUE(all.arrives());
  auto closed = std::make_unique<OneMessage>(plugin, 16);
  closed->stand(plugin);
  OneMessage broken(plugin, 16);
  broken.stand(plugin);
  OneMessage last(plugin, 16);
  last.stand(plugin);
  closed.reset();
  EXPECT_EQ(plugin->close_send(std::exchange(broken.send_comm, nullptr)), 0);
  ASSERT_TRUE(
      eventually([&] { return broken.test(broken.receiving, &broken.done) == emu::kRemoteError; }));
  ASSERT_EQ(all.consume(all.receiving), 0);
  ASSERT_TRUE(last.arrives());
  expect_received(last, 0, 16 * kPage);
  EXPECT_EQ(last.consume(last.receiving), 0);
}

TEST_P(EmuPool, ManyCommsShareFewPagesWithNobodyLeftBehind) {
  environment["HAWSER_EMU_POOL_PAGES"] = "40";
  environment["HAWSER_EMU_FRAGMENTS"] = "mixed";
  Plugin plugin(environment);
  std::vector<std::unique_ptr<OneMessage>> comms;
  for (int i = 0; i < 6; ++i) comms.push_back(std::make_unique<OneMessage>(plugin, 4));
  std::vector<std::uint64_t> finished(comms.size(), 0);
  ASSERT_TRUE(eventually([&] {
    bool all = true;
    for (std::size_t i = 0; i < comms.size(); ++i) {
      OneMessage& comm = *comms[i];
      if (finished[i] < 30 && comm.poll()) {
        expect_received(comm, finished[i]++, 4 * kPage);
        EXPECT_EQ(comm.consume(comm.receiving), 0);
        if (finished[i] < 30) comm.post(4);
      }
      all = all && finished[i] == 30;
    }
    return all || ::testing::Test::HasFailure();
  }));
  EXPECT_EQ(plugin.stats().pages_in_use, 0U);
  EXPECT_EQ(plugin.stats().violations, 0U) << plugin.stats().last_violation;
}

INSTANTIATE_TEST_SUITE_P(Places, EmuPool, testing::Values("host", "sim", "real"), gpu_driver_name);

}  // namespace
}  // namespace hawser::emu_test
