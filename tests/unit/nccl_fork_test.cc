// A child of fork() has copies of the parent's comms: no call does anything with them.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "support/nccl_plugin.h"
#include "support/sanitizers.h"

namespace hawser::test {
namespace {

// 0, or which of them did something.
int use_in_a_child(const PluginUser& user, PluginPair& pair, std::byte* data) {
  const auto& plugin = user.plugin();
  void *request = nullptr, *mhandle = nullptr;
  if (pair.try_send(0, 1000, 0, &request) != abi::kSystemError) return 1;
  if (plugin->regMr(pair.receiver(), data, 1000, abi::kHostPointer, &mhandle) != abi::kSystemError)
    return 2;
  if (plugin->closeSend(pair.sender()) != abi::kSuccess) return 3;
  return plugin->closeRecv(pair.receiver()) != abi::kSuccess ? 4 : 0;
}

TEST(PluginFork, AChildHarmsNoComm) {
  if (kThreadSanitizer) GTEST_SKIP() << "the thread sanitizer lets no child of threads go on";
  const PluginUser user;
  PluginPair pair(user, 1 << 20);
  void* const before = pair.receive({{0, 1000, 0}});
  ASSERT_TRUE(plugin_wait(pair, {pair.send(0, 1000, 0), before}));
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(30);
    ::_exit(use_in_a_child(user, pair, pair.from(0)));
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << WEXITSTATUS(status);
  void* const after = pair.receive({{0, 1 << 20, 0}});
  EXPECT_TRUE(plugin_wait(pair, {pair.send(0, 1 << 20, 0), after})) << "they share no connection";
}

}  // namespace
}  // namespace hawser::test
