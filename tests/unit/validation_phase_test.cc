#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <future>
#include <mutex>
#include <set>
#include <string>

#include "validation/phase.h"

namespace hawser {
namespace {

constexpr Milliseconds kPlenty{20'000};

TEST(Phase, RunsAllChannelsAtOnceInNamedThreads) {
  constexpr std::size_t kChannels = 4;
  std::atomic<std::size_t> inside{0};
  std::mutex mutex;
  std::set<std::string> names;
  const auto results = run_phase(
      {0, 1, 2, 3}, false,
      [&](std::size_t) -> ChannelStep {
        char name[16];
        pthread_getname_np(pthread_self(), name, sizeof name);
        {
          const std::lock_guard lock(mutex);
          names.insert(name);
        }
        ++inside;
        const Deadline deadline = Deadline::after(kPlenty);  // none gets out before all are in
        while (inside < kChannels && !deadline.expired()) std::this_thread::yield();
        return {inside == kChannels, std::nullopt};
      },
      kPlenty);
  ASSERT_EQ(results.size(), kChannels);
  for (const PhaseResult& result : results) EXPECT_TRUE(result.step.done);
  EXPECT_EQ(names, (std::set<std::string>{"hw-ch0", "hw-ch1", "hw-ch2", "hw-ch3"}));
}

TEST(Phase, SerializedRunsOneAfterAnotherInOrder) {
  std::atomic<int> inside{0};
  std::vector<std::size_t> order;
  run_phase(
      {2, 0, 5}, true,
      [&](std::size_t channel) -> ChannelStep {
        EXPECT_EQ(++inside, 1);
        order.push_back(channel);
        --inside;
        return {true, std::nullopt};
      },
      kPlenty);
  EXPECT_EQ(order, (std::vector<std::size_t>{2, 0, 5}));
}

TEST(Phase, AThreadThatNeverComesBackIsLeftBehind) {
  auto release = std::make_shared<std::promise<void>>();
  const auto released = release->get_future().share();
  for (const bool serialized : {false, true}) {
    const auto results = run_phase(
        {0, 1, 2}, serialized,
        [released](std::size_t channel) -> ChannelStep {
          if (channel == 1) released.wait();
          return {true, std::nullopt};
        },
        Milliseconds(200));
    EXPECT_FALSE(results[0].abandoned);
    EXPECT_TRUE(results[1].abandoned);
    EXPECT_FALSE(results[2].abandoned);
    EXPECT_EQ(results[2].step.done, !serialized);  // one at a time, none follows a lost one
  }
  release->set_value();
}

}  // namespace
}  // namespace hawser
