// --isolate: the plugin's process ends, the command's does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "cli/node_pair.h"
#include "cli/validation_pair.h"
#include "support/built.h"
#include "support/threads.h"

namespace hawser::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

ValidationPair isolated(const std::string& faults) {
  ValidationPair pair;
  pair.emulated(faults).with("--isolate").with("--bytes", "1048576").with("--timeout", "10");
  return pair;
}

// The processes of that program that `parent` has started.
std::vector<pid_t> plugin_processes_of(pid_t parent) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream status(entry.path() / "status");
    std::string name, line;
    std::getline(status, name);
    if (!name.ends_with("hawser-plugin-h")) continue;  // as much of it as the kernel keeps
    while (std::getline(status, line))
      if (line == "PPid:\t" + std::to_string(parent))
        found.push_back(std::stoi(entry.path().filename().string()));
  }
  return found;
}

TEST(IsolatedValidation, PassesAndSaysSo) {
  ValidationPair pair;
  pair.emulated().with("--isolate");
  const Outcomes outcomes = pair.run();
  for (const Outcome* outcome : {&outcomes.server, &outcomes.client}) {
    EXPECT_EQ(outcome->exit_code, 0) << outcome->describe();
    EXPECT_THAT(outcome->out,
                AllOf(HasSubstr("Success: 4 / 4\n"),
                      HasSubstr("GPUDirectTCPX_emulated_v7 in a process of its own (isolated))")));
    EXPECT_THAT(outcome->err, HasSubstr("in a process of its own (isolated)"));
  }
}

// Each side chooses for itself.
TEST(IsolatedValidation, MeetsOneThatIsNotIsolated) {
  ValidationPair pair;
  pair.emulated().with("--bytes", "3000001");
  pair.client_env.emplace_back("HAWSER_ISOLATE", "1");
  const Outcomes outcomes = pair.run();
  EXPECT_EQ(outcomes.server.exit_code, 0) << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
  EXPECT_THAT(outcomes.server.err, testing::Not(HasSubstr("isolated")));
  EXPECT_THAT(outcomes.client.err, HasSubstr("isolated"));
}

TEST(IsolatedValidation, OfGpuMemoryStagesItThroughHostMemory) {
  ValidationPair pair;
  pair.simulated_gpu().emulated().with("--isolate").with("--bytes", "2097153");
  const Outcomes outcomes = pair.run();
  EXPECT_EQ(outcomes.server.exit_code, 0) << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
  EXPECT_THAT(outcomes.server.out,
              HasSubstr("NOT TESTED (cuda memory staged through host memory over emulated TCPX"));
}

struct Death {
  const char* name;
  const char* rule;
  const char* words;
};
void PrintTo(const Death& death, std::ostream* out) {
  *out << death.rule;
}

class IsolatedDeaths : public testing::TestWithParam<Death> {};
TEST_P(IsolatedDeaths, FailTheRunAndNameTheCall) {
  const Outcomes outcomes = isolated(GetParam().rule).run();
  EXPECT_EQ(outcomes.server.exit_code, 1) << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 1) << outcomes.client.describe();
  EXPECT_THAT(outcomes.server.out, HasSubstr("=== TEST FAILED ===\n"));
  EXPECT_THAT(outcomes.server.err, HasSubstr(GetParam().words));
}
INSTANTIATE_TEST_SUITE_P(
    Emulator, IsolatedDeaths,
    testing::Values(Death{"Exit", "server:irecv@1=exit:7", "called exit(7) in irecv("},
                    Death{"ExitZero", "server:test@2=exit:0", "called exit(0) in test("},
                    Death{"Abort", "server:regMr@1=abort", "died of SIGABRT in regMr("},
                    Death{"Crash", "server:irecvConsumed@3=segv",
                          "died of SIGSEGV in irecvConsumed("}),
    [](const auto& tested) { return tested.param.name; });

// By the bound of such calls, or by the step's own, whichever comes first.
class IsolatedHang : public testing::TestWithParam<const char*> {};
TEST_P(IsolatedHang, OfACallIsNamed) {
  ValidationPair pair = isolated("server:test@1=hang");
  pair.with("--timeout", "4").env.emplace_back("HAWSER_ISOLATE_HANG_MS", GetParam());
  const Outcomes outcomes = pair.run();
  EXPECT_EQ(outcomes.server.exit_code, 1) << outcomes.server.describe();
  EXPECT_THAT(outcomes.server.out, HasSubstr("Success: 3 / 4\n"));
  EXPECT_THAT(outcomes.server.err, AllOf(HasSubstr("tcpx_irecv failed: "),
                                         HasSubstr("is stuck in test("), HasSubstr("channel 1")));
}
INSTANTIATE_TEST_SUITE_P(Bound, IsolatedHang, testing::Values("1000", "60000"));

TEST(IsolatedValidation, OfTheBuiltinTransportIsAnErrorOnlyWhereItIsAskedFor) {
  ValidationPair pair;
  pair.with("--isolate").with("--plugin", "builtin").with("--timeout", "2");
  const Outcome outcome = run(pair.server());
  EXPECT_EQ(outcome.exit_code, 3) << outcome.describe();
  EXPECT_THAT(outcome.err, HasSubstr("nothing to isolate"));
  ValidationPair by_environment;
  by_environment.env.emplace_back("HAWSER_ISOLATE", "1");
  const Outcomes outcomes = by_environment.run();
  EXPECT_EQ(outcomes.server.exit_code, 0) << outcomes.server.describe();
}

// However the command ends, the plugin's process does not stay.
TEST(IsolatedValidation, LeavesNoProcessBehindWhenItIsKilled) {
  ValidationPair pair;
  pair.emulated().with("--isolate").with("--timeout", "60");
  Subprocess server(pair.server());
  ASSERT_TRUE(server.wait_for_output("Starting server"));
  const std::vector<pid_t> started = plugin_processes_of(server.pid());
  ASSERT_EQ(started.size(), 1u);
  server.send_signal(SIGKILL);
  server.wait();
  EXPECT_TRUE(eventually([&] { return ::kill(started.front(), 0) != 0; }));
}

TEST(IsolatedProgram, IsNotForPeople) {
  Command command;
  command.args = {built("tools/plugin_host/hawser-plugin-host")};
  const Outcome outcome = run(command);
  EXPECT_EQ(outcome.exit_code, 2) << outcome.describe();
  EXPECT_THAT(outcome.err, HasSubstr("not by hand"));
}

TEST(IsolatedPerf, Measures) {
  Command command;
  command.args = {hawser_program(),  "perf",    "--loopback", "--isolate", "--plugin",
                  emulator_plugin(), "--sizes", "8,1M",       "--repeats", "2",
                  "--duration-ms",   "10"};
  command.with_env("NCCL_GPUDIRECTTCPX_SOCKET_IFNAME", "=lo").with_env("HAWSER_EMU_BOUNCE", "host");
  const Outcome outcome = run(command);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.describe();
  EXPECT_THAT(outcome.out, HasSubstr("in a process of its own (isolated)"));
}

TEST(IsolatedNode, PassesAndAddsUp) {
  NodePair pair;
  pair.both = {"--plugin", emulator_plugin(), "--isolate", "--timeout", "20", "--no-progress"};
  pair.where = {"--gpus", "2", "--memory", "host", "--device", "lo", "--bytes", "1000001"};
  const Outcomes outcomes = pair.run();
  expect_node_passed(outcomes);
  expect_adds_up(pair.server_json());
  EXPECT_THAT(outcomes.client.out, HasSubstr("in a process of its own (isolated)"));
}

TEST(IsolatedNode, FailsAndNamesTheCall) {
  NodePair pair;
  pair.both = {"--plugin", emulator_plugin(), "--isolate", "--timeout", "4", "--no-progress"};
  pair.where = {"--gpus", "1", "--memory", "host", "--device", "lo", "--bytes", "1000001"};
  pair.env = {{"HAWSER_EMU_FAULTS", "server:irecvConsumed=exit:7"}};
  const Outcomes outcomes = pair.run();
  for (const Outcome* outcome : {&outcomes.server, &outcomes.client})
    EXPECT_TRUE(outcome->exit_code == 1 || outcome->exit_code == 3) << outcome->describe();
  EXPECT_THAT(outcomes.server.out + outcomes.server.err + outcomes.client.out + outcomes.client.err,
              HasSubstr("called exit(7) in irecvConsumed("));
}

}  // namespace
}  // namespace hawser::test
