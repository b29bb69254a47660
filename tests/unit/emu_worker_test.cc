// The emulated TCPX ends the process from a thread of its own, in no call of the host's; and the
// lines that it writes at every poll.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <string>

#include "emu_support.h"

namespace hawser::emu_test {
namespace {

// Connects, posts a receive, and polls it until the process ends, which this one outlives by 10 s.
void receive_until_the_end(const std::string& faults, bool post = true) {
  Plugin plugin(Environment{{"HAWSER_EMU_FAULTS", faults}});
  Pair pair(plugin);
  EXPECT_TRUE(pair.connect());
  if (!post) std::_Exit(77);
  void* receiving = nullptr;
  EXPECT_EQ(pair.receive(pair.destination.data(), 10, &receiving), 0);
  eventually([&] {
    int done = 0;
    return pair.test(receiving, &done) != 0;
  });
}

struct EmuWorker : ::testing::Test {
  EmuWorker() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(EmuWorker, ExitsOnceSomethingIsPosted) {
  EXPECT_EXIT(receive_until_the_end("worker@0=exit:5"), ::testing::ExitedWithCode(5), "");
  EXPECT_EXIT(receive_until_the_end("worker@0=exit:5", false), ::testing::ExitedWithCode(77), "");
}

TEST_F(EmuWorker, ExitsOnOneChannelAndSideOnly) {
  Plugin plugin(Environment{{"HAWSER_EMU_FAULTS", "client:worker@0=exit:5;worker@1=exit:5"}});
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  void* receiving = nullptr;
  EXPECT_EQ(pair.receive(pair.destination.data(), 10, &receiving), 0);
  EXPECT_EQ(plugin.stats().faults_applied, 0U);
}

TEST_F(EmuWorker, Aborts) {
  EXPECT_EXIT(
      {
        std::signal(SIGABRT, SIG_DFL);
        receive_until_the_end("worker=abort");
      },
      ::testing::KilledBySignal(SIGABRT), "");
}

TEST_F(EmuWorker, Crashes) {
  EXPECT_EXIT(
      {
        std::signal(SIGSEGV, SIG_DFL);
        receive_until_the_end("server:worker=segv");
      },
      ::testing::KilledBySignal(SIGSEGV), "");
}

// Seven receives, of which the first cannot land for want of pages.
TEST(EmuWarnings, OneAPollWhileMoreThanSixTasksWait) {
  Plugin plugin(Environment{{"HAWSER_EMU_POOL_PAGES", "4"}, {"HAWSER_EMU_FRAGMENTS", "pages"}});
  Connected pair(plugin);
  void* sending = nullptr;
  void* first = nullptr;
  void* other = nullptr;
  ASSERT_EQ(pair.send(pair.source.data(), 8 * 4096, &sending), 0);
  ASSERT_EQ(pair.receive(pair.destination.data(), 8 * 4096, &first), 0);
  const auto lines_of_ten_polls = [&] {
    Plugin::clear_log();
    for (int i = 0; i < 10; ++i) {
      int done = 0;
      EXPECT_EQ(pair.test(first, &done), 0);
    }
    const std::string log = Plugin::log();
    return std::count(log.begin(), log.end(), '\n');
  };
  int done = 0;
  ASSERT_TRUE(eventually([&] { return pair.test(sending, &done) != 0 || done; }));
  ASSERT_TRUE(
      eventually([&] { return pair.test(first, &done) != 0 || plugin.stats().pages_in_use == 4; }));
  for (int i = 0; i < 5; ++i) ASSERT_EQ(pair.receive(pair.destination.data(), 10, &other), 0);
  EXPECT_EQ(lines_of_ten_polls(), 0);
  ASSERT_EQ(pair.receive(pair.destination.data(), 10, &other), 0);
  EXPECT_EQ(lines_of_ten_polls(), 10);
  EXPECT_NE(Plugin::log().find("no room for another receive task"), std::string::npos);
}

}  // namespace
}  // namespace hawser::emu_test
