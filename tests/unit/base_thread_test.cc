#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <future>
#include <memory>
#include <vector>

#include "base/thread.h"
#include "support/thread_limit.h"
#include "support/threads.h"

namespace hawser {
namespace {

using test::allow_threads;
using test::eventually;
using test::kCannotLimitThreads;
using test::threads_named;
using testing::ExitedWithCode;

TEST(Thread, IsJoinedWhenItGoes) {
  std::atomic<bool> worked{false};
  {
    const auto thread = Thread::start("hw-test", [&] { worked = true; });
    ASSERT_TRUE(thread.ok());
    EXPECT_TRUE(thread->running());
  }
  EXPECT_TRUE(worked);
}

TEST(Thread, HasItsNameFromTheFirstMomentOn) {
  std::string name;
  auto thread = Thread::start("hw-a-very-long-name", [&] {
    char own[16] = "";
    pthread_getname_np(pthread_self(), own, sizeof own);
    name = own;
  });
  ASSERT_TRUE(thread.ok());
  thread->join();
  EXPECT_EQ(name, "hw-a-very-long-");
  EXPECT_FALSE(thread->running());
  thread->join();  // once more does no harm
}

TEST(Thread, LeavesSignalsToTheHostProgramAndFaultsToItsHandlers) {
  sigset_t before, after, inside;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  auto thread = Thread::start("hw-test", [&] { pthread_sigmask(SIG_SETMASK, nullptr, &inside); });
  ASSERT_TRUE(thread.ok());
  thread->join();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGCHLD, SIGUSR1, SIGPROF, SIGPIPE})
    EXPECT_EQ(sigismember(&inside, signal), 1) << strsignal(signal);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT})
    EXPECT_EQ(sigismember(&inside, signal), 0) << strsignal(signal);
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int signal = 1; signal < SIGRTMIN; ++signal)
    EXPECT_EQ(sigismember(&before, signal), sigismember(&after, signal)) << strsignal(signal);
}

TEST(Thread, MovesAndJoinsTheOneThatItReplaces) {
  std::atomic<int> worked{0};
  Thread thread;
  thread.join();  // there is none
  for (int i = 0; i < 3; ++i) {
    auto next = Thread::start("hw-test", [&] { ++worked; });
    ASSERT_TRUE(next.ok());
    thread = std::move(*next);
    EXPECT_FALSE(next->running());
    EXPECT_GE(worked, i);
  }
  thread.join();
  EXPECT_EQ(worked, 3);
}

TEST(Thread, LetsGoOfItsWorkBeforeItIsJoined) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = held;
  auto thread = Thread::start("hw-test", [held = std::move(held)] {});
  ASSERT_TRUE(thread.ok());
  thread->join();
  EXPECT_TRUE(watched.expired());
}

TEST(Thread, IsWaitedForAsLongAsOneLikes) {
  std::promise<void> release;
  auto thread = Thread::start("hw-test", [&] { release.get_future().wait(); });
  ASSERT_TRUE(thread.ok());
  EXPECT_FALSE(thread->join_within(Deadline::after(Milliseconds(20))));
  EXPECT_TRUE(thread->running());
  release.set_value();
  EXPECT_TRUE(thread->join_within(Deadline::after(test::kEventually)));
  EXPECT_FALSE(thread->running());
  EXPECT_TRUE(thread->join_within(Deadline::after(Milliseconds(0))));  // there is none
}

TEST(Thread, ThatWasAbandonedGoesOn) {
  auto release = std::make_shared<std::promise<void>>();
  {
    auto thread = Thread::start("hw-left", [release] { release->get_future().wait(); });
    ASSERT_TRUE(thread.ok());
    thread->abandon();
    EXPECT_FALSE(thread->running());
  }
  EXPECT_TRUE(eventually([] { return threads_named("hw-left").size() == 1; }));
  release->set_value();
  EXPECT_TRUE(eventually([] { return threads_named("hw-left").empty(); }));
}

TEST(ThreadDeathTest, WhereNoneIsToBeHadIsAnErrorThatSaysWhatToDo) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can limit the threads of another user";
  const auto start_until_none = [] {
    if (!allow_threads(2)) ::_exit(kCannotLimitThreads);
    std::vector<Thread> threads;
    while (true) {
      auto thread = Thread::start("hw-test", [] { ::pause(); });
      if (!thread.ok()) {
        std::fprintf(stderr, "after %zu: %s", threads.size(), thread.error().message().c_str());
        ::_exit(thread.error().code() == Code::system ? 0 : 1);
      }
      threads.push_back(std::move(*thread));
    }
  };
  EXPECT_EXIT(start_until_none(), ExitedWithCode(0),
              "after 2: no thread is to be had for hw-test: .*ulimit -u");
}

}  // namespace
}  // namespace hawser
