// Two threads at once in listen, connect or accept: the pool comes in twice, and who came first has
// the address of the one that is gone.
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <thread>

#include "emu_place_test.h"
#include "support/sanitizers.h"

namespace hawser::emu_test {
namespace {

// Can the CPU read there? Asked of the kernel.
bool readable(const void* address) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const bool can = write(ends[1], address, 1) == 1;
  EXPECT_TRUE(can || errno == EFAULT);
  close(ends[0]);
  close(ends[1]);
  return can;
}

class EmuSetupCalls : public EmuPlaceTest {
 protected:
  void SetUp() override {
    EmuPlaceTest::SetUp();
    environment["HAWSER_EMU_IMPORT_MS"] = "50";
  }
  void make_current() {
    if (gpu_ != nullptr) {
      EXPECT_TRUE(gpu_->make_current().ok());
    }
  }
  bool usable_pool(const Pair& pair) {
    const void* const bounce = unpack_handle(pair).bounce;
    return on_gpu() ? is_device_pointer(*driver_, bounce) : readable(bounce);
  }
  // Another thread makes calls until it meets one of the caller's, which are in `work`.
  void meet(Plugin& plugin, const std::function<void()>& work) {
    std::atomic<bool> over{false};
    std::thread other([&] {
      pthread_setname_np(pthread_self(), "other");
      make_current();
      while (!over) Pair(plugin).listen();
    });
    EXPECT_TRUE(eventually([&] {
      work();
      return plugin.stats().overlapping_setups != 0;
    }));
    over = true;
    other.join();
  }
};

TEST_P(EmuSetupCalls, TheFirstCommOfAPoolThatCameTwiceHasNone) {
  Plugin::clear_log();
  Plugin plugin(environment);
  Pair first(plugin);
  meet(plugin, [&] { EXPECT_TRUE(first.receive_comm != nullptr || first.connect()); });
  EXPECT_EQ(plugin.stats().violations, 1U) << plugin.stats().last_violation;
  EXPECT_NE(std::string(plugin.stats().last_violation).find("two threads at once"),
            std::string::npos);
  EXPECT_NE(Plugin::log().find("'other' in listen"), std::string::npos) << Plugin::log();
  EXPECT_FALSE(usable_pool(first));
  Pair second(plugin);
  ASSERT_TRUE(second.connect());
  EXPECT_TRUE(usable_pool(second));
}

TEST_P(EmuSetupCalls, AreCountedLaterTooWhenTheyDoNoHarm) {
  if (test::kThreadSanitizer) GTEST_SKIP() << "the thread sanitizer seldom lets two short calls meet";
  Plugin plugin(environment);
  Pair first(plugin);
  ASSERT_TRUE(first.connect());
  meet(plugin, [&] { Pair(plugin).listen(); });
  EXPECT_EQ(plugin.stats().violations, 1U);
  EXPECT_TRUE(usable_pool(first));
  Pair second(plugin);
  ASSERT_TRUE(second.connect());
  EXPECT_TRUE(usable_pool(second));
}

TEST_P(EmuSetupCalls, OneAtATimeAreFine) {
  Plugin plugin(environment);
  std::vector<std::unique_ptr<Pair>> pairs;
  for (int i = 0; i < 4; ++i) pairs.push_back(std::make_unique<Pair>(plugin));
  std::mutex one_at_a_time;
  std::vector<std::thread> threads;
  for (auto& pair : pairs)
    threads.emplace_back([&] {
      make_current();
      EXPECT_TRUE(eventually([&] {
        const std::lock_guard lock(one_at_a_time);
        if (pair->listen_comm == nullptr) pair->listen();
        return !pair->connect_step() ||
               (pair->send_comm != nullptr && pair->receive_comm != nullptr);
      }));
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(plugin.stats().overlapping_setups, 0U);
  EXPECT_EQ(plugin.stats().violations, 0U) << plugin.stats().last_violation;
  for (const auto& pair : pairs) EXPECT_TRUE(usable_pool(*pair));
}

INSTANTIATE_TEST_SUITE_P(Places, EmuSetupCalls, testing::Values("host", "sim", "real"),
                         gpu_driver_name);

}  // namespace
}  // namespace hawser::emu_test
