// A set-up of TCPX that is wrong is refused at once, with the fix, before the plugin is called.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "cli/validation_pair.h"
#include "setup/rxdm.h"
#include "support/built.h"
#include "support/temp_dir.h"
#include "support/unix_server.h"

namespace hawser::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using Clock = std::chrono::steady_clock;

constexpr auto kAtOnce = std::chrono::seconds(10);  // sooner than any step's deadline

// Has the real plugin's name; its init() ends the process with 77.
std::string plugin_named_tcpx() {
  return built("tests/plugins/libnccl-net-loopback-tcpx-name.so");
}

Command hawser_with(const Words& words, const Environment& env = {}) {
  Command command{.args = {hawser_program()}, .env = env, .cwd = {}, .netns = {}};
  command.args.insert(command.args.end(), words.begin(), words.end());
  return command;
}

Command emulated_with(const Environment& env, const Words& options = {}) {
  ValidationPair pair;
  pair.emulated();
  pair.env.insert(pair.env.end(), env.begin(), env.end());
  pair.both.insert(pair.both.end(), options.begin(), options.end());
  return pair.client();
}

// Nobody serves: whoever got as far as connecting would try until the timeout.
void expect_refused(const Command& command, const std::string& what, const std::string& fix) {
  const auto start = Clock::now();
  const Outcome outcome = run(command);
  EXPECT_LT(Clock::now() - start, kAtOnce) << outcome.describe();
  EXPECT_EQ(outcome.exit_code, 3) << outcome.describe();
  EXPECT_THAT(outcome.err, HasSubstr(what));
  EXPECT_THAT(outcome.err, HasSubstr(fix));
  EXPECT_THAT(outcome.out, Not(HasSubstr("PASSED")));
}

TEST(TcpxSetupCli, AChunkThatThePluginWouldLeakIsRefused) {
  expect_refused(emulated_with({{"NCCL_DYNAMIC_CHUNK_SIZE", "4096"}}, {"--chunk-bytes", "65536"}),
                 "NCCL_DYNAMIC_CHUNK_SIZE=4096", "unset NCCL_DYNAMIC_CHUNK_SIZE");
}

TEST(TcpxSetupCli, MoreThanEightSocketsAreRefused) {
  expect_refused(emulated_with({{"NCCL_NSOCKS_PERTHREAD", "8"}, {"NCCL_SOCKET_NTHREADS", "2"}}),
                 "make 16 sockets", "set NCCL_NSOCKS_PERTHREAD=2");
}

// The check is made in the plugin's own process, and so are the defaults set there.
TEST(TcpxSetupCli, AnIsolatedPluginIsCheckedToo) {
  expect_refused(emulated_with({{"NCCL_NSOCKS_PERTHREAD", "8"}, {"NCCL_SOCKET_NTHREADS", "2"}},
                               {"--isolate"}),
                 "make 16 sockets", "set NCCL_NSOCKS_PERTHREAD=2");
  expect_refused(emulated_with({{"NCCL_DYNAMIC_CHUNK_SIZE", "4096"}},
                               {"--chunk-bytes", "65536", "--isolate"}),
                 "NCCL_DYNAMIC_CHUNK_SIZE=4096", "unset NCCL_DYNAMIC_CHUNK_SIZE");
}

TEST(TcpxSetupCli, OverlappingCoreSetsAreRefused) {
  expect_refused(emulated_with({{"NCCL_GPUDIRECTTCPX_TX_BINDINGS", "lo:0-1"},
                                {"NCCL_GPUDIRECTTCPX_RX_BINDINGS", "lo:1-1"}}),
                 "share the cores 1", "of their own");
}

TEST(TcpxSetupCli, ASmallerChunkThanThePluginsWorks) {
  ValidationPair pair;
  pair.emulated().with("--chunk-bytes", "4096").with("--bytes", "1000001");
  pair.env.emplace_back("NCCL_DYNAMIC_CHUNK_SIZE", "65536");
  const Outcomes outcomes = pair.run();
  EXPECT_EQ(outcomes.server.exit_code, 0) << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
}

// All that is wrong at once, the same-host peer too, and the plugin is not touched.
TEST(TcpxSetupCli, TheRealPluginIsNotCalledOnAMachineThatIsNotReady) {
  ValidationPair pair;
  pair.with("--plugin", plugin_named_tcpx());
  pair.env.emplace_back("NCCL_GPUDIRECTTCPX_UNIX_CLIENT_PREFIX", "/nowhere/tcpx");
  expect_refused(pair.client(), "no GPU is in use", "--memory cuda");
  expect_refused(pair.client(), "/nowhere/tcpx/rx_rule_manager: No such file",
                 "start tcpgpudmarxd");
  expect_refused(pair.client(), "rx no cmsg", "another machine's address");
  expect_refused(pair.server(), "no GPU is in use", "start tcpgpudmarxd");
}

// A machine that is ready, as far as a simulated GPU and sockets of no manager can play it.
struct ReadyMachine {
  ReadyMachine() {
    for (const std::string& path : rxdm_sockets(dir.path(), "ffff:00:00.0"))
      manager.push_back(std::make_unique<UnixServer>(path));
  }
  Environment environment() const {
    return {{"HAWSER_CUDA_LIBRARY", simulated_cuda()},
            {"NCCL_GPUDIRECTTCPX_UNIX_CLIENT_PREFIX", dir.path()},
            {"NCCL_GPUDIRECTTCPX_SOCKET_IFNAME", "lo"},
            {"NCCL_GPUDIRECTTCPX_CTRL_DEV", "lo"}};
  }
  TempDir dir;
  std::vector<std::unique_ptr<UnixServer>> manager;
};

TEST(TcpxSetupCli, OnAMachineThatIsReadyThePluginIsInitialised) {
  const ReadyMachine machine;
  const Outcome outcome =
      run(hawser_with({"devices", "--plugin", plugin_named_tcpx()}, machine.environment()));
  EXPECT_EQ(outcome.exit_code, 77) << outcome.describe();
}

TEST(TcpxSetupCli, NodeRefusesTheSameHost) {
  const ReadyMachine machine;
  const std::string plugin =
      built("tests/plugins/libnccl-net-loopback-tcpx-devices.so");
  expect_refused(
      hawser_with({"node", "client", "127.0.0.1", "--plugin", plugin}, machine.environment()),
      "the peer 127.0.0.1", "rx no cmsg");
}

TEST(TcpxSetupCli, PerfRefusesTheSameHostToo) {
  expect_refused(
      hawser_with({"perf", "client", "--address", "127.0.0.1", "--plugin", plugin_named_tcpx()}),
      "the peer 127.0.0.1", "rx no cmsg");
}

TEST(TcpxSetupCli, NodeRefusesWhatIsNotReady) {
  expect_refused(hawser_with({"node", "client", "127.0.0.1", "--gpus", "1", "--memory", "host",
                              "--plugin", plugin_named_tcpx()}),
                 "no GPU is in use", "start tcpgpudmarxd");
}

Command devices(Words words) {
  words.insert(words.begin(), {"devices", "--plugin", emulator_plugin()});
  return hawser_with(words, {{"NCCL_DYNAMIC_CHUNK_SIZE", ""},
                             {"NCCL_NSOCKS_PERTHREAD", ""},
                             {"NCCL_SOCKET_NTHREADS", ""},
                             {"NCCL_GPUDIRECTTCPX_RX_BINDINGS", ""},
                             {"NCCL_GPUDIRECTTCPX_TX_BINDINGS", "nosuch0:0-0"}});
}

TEST(TcpxSetupCli, DevicesShowsTheSetup) {
  const Outcome outcome = run(devices({}));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.describe();
  EXPECT_THAT(outcome.out, HasSubstr("TCPX set-up: GPUDirectTCPX_emulated_v7, version not told"));
  EXPECT_THAT(outcome.out, HasSubstr("  ok       chunk size\n"));
  EXPECT_THAT(outcome.out, HasSubstr("  ok       sockets and threads\n"));
  EXPECT_THAT(outcome.out, HasSubstr("  warning  core sets: NCCL_GPUDIRECTTCPX_TX_BINDINGS names "
                                     "nosuch0"));
}

TEST(TcpxSetupCli, DevicesTellsProgramsToo) {
  const Outcome outcome = run(devices({"--json"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.describe();
  const auto setup = nlohmann::json::parse(outcome.out).at("tcpx_setup");
  EXPECT_EQ(setup.at("plugin"), "GPUDirectTCPX_emulated_v7");
  EXPECT_EQ(setup.at("file"), emulator_plugin());
  EXPECT_EQ(setup.at("checks").at(0).at("state"), "ok");
  EXPECT_EQ(setup.at("checks").at(3).at("state"), "warning");
  EXPECT_EQ(setup.at("checks").at(3).at("fix"), "name the data NICs as `hawser devices` does");
}

TEST(TcpxSetupCli, DevicesOfOtherTransportsHaveNone) {
  const Outcome outcome = run(hawser_with({"devices", "--plugin", "builtin"}));
  EXPECT_THAT(outcome.out, Not(HasSubstr("TCPX set-up")));
}

}  // namespace
}  // namespace hawser::test
