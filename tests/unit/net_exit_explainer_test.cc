// What is said when a process ends by exit() while plugins are hosted: by whom, and why.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "net/hosted/exit_explainer.h"
#include "net/hosted/hosting.h"
#include "support/built.h"

namespace hawser {
namespace {

using testing::ExitedWithCode;

Result<std::unique_ptr<Net>> open_for_exit(const std::string& suffix) {
  PluginOptions options;
  options.choice = {test::built("tests/plugins/libnccl-net-loopback-") + suffix + ".so", "a test",
                    false};
  return load_plugin(options);
}

class NetExitExplainerDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(NetExitExplainerDeathTest, APluginsOwnThreadIsNamedWithItsLastWords) {
  const auto listen_and_wait = [] {
    std::atexit([] {  // registered first, so it is called when all has been said
      std::fprintf(stderr, "ended by %s\n", exit_cause().c_str());
    });
    const auto net = open_for_exit("exits-alone");
    if (!net.ok()) ::_exit(9);
    const auto listener = (*net)->listen(0);
    while (true) ::pause();
  };
  EXPECT_EXIT(
      listen_and_wait(), ExitedWithCode(3),
      "no free space for recv task 0\n.*rx no cmsg\n"
      ".*no free space for recv task 999 \\(said 999 more times in the last .*"
      "hawser: plugin GPUDirectTCPX_emulated_exit_v7 called exit\\(3\\) in thread sim-worker "
      "\\([0-9]+\\), with no call of hawser's in progress there: a thread of its own\n"
      ".*hawser: the last words of plugin GPUDirectTCPX_emulated_exit_v7 in the log: no free space "
      "for recv task 999\n"
      "hawser: what it printed itself stands above, on stderr\n"
      "hawser: usual causes: \"rx no cmsg\": .*"
      "hawser: where to look: RxDM's log, .*docs/tcpx.md\n"
      "hawser: with --isolate .*"
      "ended by the plugin GPUDirectTCPX_emulated_exit_v7 \\(exit by its own thread\\)\n");
}

TEST_F(NetExitExplainerDeathTest, AThreadThatNobodyKnowsIsNoPlugins) {
  const auto exit_in_a_thread = [] {
    const auto net = open_for_exit("v8");
    if (!net.ok()) ::_exit(9);
    std::thread([] { std::exit(7); }).join();
  };
  EXPECT_EXIT(exit_in_a_thread(), ExitedWithCode(7),
              "exit\\(7\\) was called in thread .* with no call of hawser's in progress there: a "
              "thread of this program's, or of plugin Simulated loopback v8's own\n");
}

TEST_F(NetExitExplainerDeathTest, AnExitOfTheProgramItselfIsQuiet) {
  const auto exit_quietly = [] {
    const auto net = open_for_exit("v8");
    std::exit(net.ok() && exit_cause().empty() ? 0 : 9);
  };
  EXPECT_EXIT(exit_quietly(), ExitedWithCode(0), "^$");
}

TEST(NetExitAdvice, KnowsTcpx) {
  EXPECT_THAT(exit_advice("GPUDirectTCPX_v7").front(), testing::HasSubstr("rx no cmsg"));
  EXPECT_THAT(exit_advice("Some").front(), testing::Not(testing::HasSubstr("rx no cmsg")));
}

}  // namespace
}  // namespace hawser
