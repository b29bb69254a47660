// A process that has no memory left: the plugin says so, and lives on.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <vector>

#include "support/nccl_plugin.h"
#include "support/sanitizers.h"

namespace hawser::test {
namespace {

std::size_t address_space_bytes() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * 4096;
}

// No more than there is while it lives, and the heap's reserve is used up.
class NoMoreMemory {
 public:
  NoMoreMemory() {
    hoard_.reserve(1'000'000);
    EXPECT_EQ(getrlimit(RLIMIT_AS, &before_), 0);
    rlimit now = before_;
    now.rlim_cur = address_space_bytes();
    EXPECT_EQ(setrlimit(RLIMIT_AS, &now), 0);
    for (std::size_t bytes = 1 << 20; bytes >= 16; bytes /= 2)
      while (char* const block = new (std::nothrow) char[bytes]) hoard_.emplace_back(block);
  }
  ~NoMoreMemory() { setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
  std::vector<std::unique_ptr<char[]>> hoard_;
};

void use_without_memory() {
  const PluginUser user;
  const auto& plugin = user.plugin();
  PluginPair pair(user, 1 << 20);
  PluginHandle handle;
  void* listening = nullptr;
  ASSERT_EQ(plugin->listen(user.context(), 0, handle.bytes, &listening), abi::kSuccess);
  int listened = 0, connected = 0, registered = 0;
  {
    const NoMoreMemory none;
    void *comm = nullptr, *more = nullptr, *mhandle = nullptr;
    PluginHandle another;
    listened = plugin->listen(user.context(), 0, another.bytes, &more);
    connected = plugin->connect(user.context(), 0, handle.bytes, &comm, nullptr);
    registered = plugin->regMr(pair.sender(), another.bytes, 64, abi::kHostPointer, &mhandle);
  }
  EXPECT_EQ(listened, abi::kSystemError);
  EXPECT_EQ(connected, abi::kSystemError);
  EXPECT_EQ(registered, abi::kSystemError);
  EXPECT_EQ(plugin->closeListen(listening), abi::kSuccess);
  void* const receive = pair.receive({{0, 1000, 0}});
  EXPECT_TRUE(plugin_wait(pair, {pair.send(0, 1000, 0), receive})) << "what was there still works";
}

// In a process of its own: others' tests have left heaps with room in them.
TEST(PluginMemoryLimitDeathTest, EveryCallThatNeedsMoreSaysSo) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs all the addresses that there are";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto run = [] {
    use_without_memory();
    std::_Exit(testing::Test::HasFailure() ? 1 : 0);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace hawser::test
