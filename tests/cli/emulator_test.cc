// Validations over the emulated TCPX plugin: passing ones, and each way to fail.
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

#include "cli/page.h"
#include "cli/validation_pair.h"
#include "support/built.h"

namespace hawser::test {
namespace {

using std::chrono::seconds;

constexpr const char* kShort = "4";

ValidationPair faulty(const std::string& faults) {
  ValidationPair pair;
  pair.emulated(faults).with("--bytes", "1048576").with("--timeout", kShort);
  return pair;
}

bool contains(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

// "Success: 3 / 4" and "Failed:  1 / 4", the verdict, the status.
void expect_failed(const Outcome& outcome, int passed, int all) {
  const std::string slash = " / " + std::to_string(all) + "\n";
  EXPECT_EQ(outcome.exit_code, 1) << outcome.describe();
  EXPECT_TRUE(contains(outcome.out, "Success: " + std::to_string(passed) + slash))
      << outcome.describe();
  EXPECT_TRUE(contains(outcome.out, "Failed:  " + std::to_string(all - passed) + slash))
      << outcome.describe();
  EXPECT_TRUE(contains(outcome.out, "=== TEST FAILED ===\n")) << outcome.describe();
  EXPECT_FALSE(contains(outcome.out, "RESOLVED")) << outcome.describe();
}

TEST(EmulatorRun, PassesAndCallsItselfEmulated) {
  ValidationPair pair;
  pair.emulated();
  const Outcomes outcomes = pair.run();
  for (const Outcome* outcome : {&outcomes.server, &outcomes.client}) {
    EXPECT_EQ(outcome->exit_code, 0) << outcome->describe();
    EXPECT_TRUE(contains(outcome->out, "Success: 4 / 4\n")) << outcome->describe();
    EXPECT_TRUE(
        matches(outcome->out, "Devmem conflicts: NOT TESTED \\(host memory over emulated TCPX"))
        << outcome->describe();
  }
}

class EmulatorRunOfChannels : public testing::TestWithParam<int> {};
TEST_P(EmulatorRunOfChannels, Passes) {
  ValidationPair pair;
  pair.emulated().with("--channels", std::to_string(GetParam())).with("--bytes", "3000001");
  const Outcomes outcomes = pair.run();
  EXPECT_EQ(outcomes.server.exit_code, 0) << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
}
INSTANTIATE_TEST_SUITE_P(Emulator, EmulatorRunOfChannels, testing::Values(1, 2, 8, 16));

// One channel's call fails on one side: that side names the call and the plugin's code, the other
// side says that its peer's channel failed; both count 3 of 4.
struct FailedCall {
  const char* name;
  const char* rule;
  bool on_server;
  const char* line;    // in the report of the side that failed
  const char* reason;  // on its stderr
};
void PrintTo(const FailedCall& call, std::ostream* out) {
  *out << call.rule;
}

class EmulatorCallFaults : public testing::TestWithParam<FailedCall> {};
TEST_P(EmulatorCallFaults, OneChannelFailsOnBothSides) {
  const FailedCall& call = GetParam();
  const Outcomes outcomes = faulty(call.rule).run();
  expect_failed(outcomes.server, 3, 4);
  expect_failed(outcomes.client, 3, 4);
  const Outcome& failed = call.on_server ? outcomes.server : outcomes.client;
  EXPECT_TRUE(matches(failed.out, std::string("\\[GPU 0 CH 1\\] ") + call.line + " failed\n" +
                                      "\\[GPU 0 CH 1\\] Test FAILED\n"))
      << failed.describe();
  EXPECT_TRUE(matches(failed.err,
                      std::string("\\[GPU 0 CH 1\\] ") + call.line + " failed: .*" + call.reason))
      << failed.describe();
  EXPECT_TRUE(matches(failed.out, "Devmem conflicts: NOT TESTED")) << failed.describe();
}
INSTANTIATE_TEST_SUITE_P(
    Emulator, EmulatorCallFaults,
    testing::Values(
        FailedCall{"Listen", "server:listen@1=fail:2", true, "tcpx_listen", "2"},
        FailedCall{"Accept", "server:accept@1=fail:3", true, "tcpx_accept_v5", "3"},
        FailedCall{"Connect", "client:connect@1=fail:6", false, "tcpx_connect_v5", "6"},
        FailedCall{"RegMrOfServer", "server:regMr@1=fail:3", true, "tcpx_reg_mr",
                   "0x[0-9a-f]+.*1048576.*host.*3"},
        FailedCall{"RegMrOfClient", "client:regMr@1=fail:1", false, "tcpx_reg_mr",
                   "0x[0-9a-f]+.*1048576.*host.*1"},
        FailedCall{"Irecv", "server:irecv@1=fail:3", true, "tcpx_irecv", "3"},
        FailedCall{"Isend", "client:isend@1=fail:3", false, "tcpx_isend", "3"},
        FailedCall{"Test", "server:test@1=fail:3", true, "tcpx_irecv", "3"},
        FailedCall{"AcceptForEverNull", "server:accept@1=never", true, "tcpx_accept_v5", "within"},
        FailedCall{"ConnectForEverNull", "client:connect@1=never", false, "tcpx_connect_v5",
                   "within"},
        FailedCall{"TransferStalls", "server:test@1=stall", true, "tcpx_irecv", "within"}),
    [](const auto& tested) { return tested.param.name; });

// Every line of the page, for the page's own example.
TEST(EmulatorFailurePage, RegMrOfChannelOne) {
  const Outcomes outcomes = faulty("server:regMr@1=fail:3").run();
  PageNumbers numbers;
  numbers.bytes = 1048576;
  read_machine(outcomes.server.out, numbers);
  std::vector<ChannelStory> stories(
      4, {.created = true, .transferred = true, .passed = true, .failed_line = {}});
  stories.at(1) = {.created = false, .failed_line = "tcpx_reg_mr failed", .failed_early = true};
  Verdict verdict;
  verdict.devmem = kHostOverEmulator;
  verdict.serialized = "Serialized creation: fails too (3 / 4 channels passed)";
  EXPECT_EQ(outcomes.server.out, page_failed(numbers, stories, verdict));
}

TEST(EmulatorFaults, CorruptedByteNamesOffsetExpectedAndFound) {
  const Outcomes outcomes = faulty("server:payload@2=corrupt:70001").run();
  expect_failed(outcomes.server, 3, 4);
  expect_failed(outcomes.client, 3, 4);
  EXPECT_TRUE(
      matches(outcomes.server.out,
              "Data mismatch at offset 70001: expected 0x[0-9a-f]{2}, found 0x[0-9a-f]{2}\n"))
      << outcomes.server.describe();
}

// The question of the page: does making channels at once conflict, and does one at a time help?
// The delays keep all channels in the making at the same time, however busy this machine is, and
// let channel 0 register last, when nobody is in its way any more.
constexpr const char* kConflict =
    "server:accept@0=delay:900;server:accept=delay:300;server:devmem=conflict";

// The page's own example of a failure: one of four.
TEST(EmulatorDevmemConflict, PageOfTheServer) {
  const Outcomes outcomes = faulty(kConflict).run();
  PageNumbers numbers;
  numbers.bytes = 1048576;
  read_machine(outcomes.server.out, numbers);
  std::vector<ChannelStory> stories(
      4, {.created = false, .failed_line = "tcpx_reg_mr failed", .failed_early = true});
  stories[0] = {.created = true, .transferred = true, .passed = true, .failed_line = {}};
  Verdict verdict;
  verdict.devmem = kHostOverEmulator;
  verdict.serialized = "Serialized creation: works (4 / 4 channels passed)";
  EXPECT_EQ(outcomes.server.out, page_failed(numbers, stories, verdict));
}

TEST(EmulatorDevmemConflict, SerializedCreationIsTriedAndWorks) {
  const Outcomes outcomes = faulty(kConflict).run();
  for (const Outcome* outcome : {&outcomes.server, &outcomes.client}) {
    expect_failed(*outcome, 1, 4);
    EXPECT_TRUE(contains(outcome->out, "Serialized creation: works (4 / 4 channels passed)\n"))
        << outcome->describe();
  }
}

TEST(EmulatorDevmemConflict, SerializeCreatePasses) {
  ValidationPair pair = faulty(kConflict);
  pair.with("--serialize-create");
  const Outcomes outcomes = pair.run();
  EXPECT_EQ(outcomes.server.exit_code, 0) << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
}

TEST(EmulatorFaults, ShortPoolIsNoDeadlock) {
  ValidationPair pair = faulty("");
  pair.env.emplace_back("HAWSER_EMU_POOL_PAGES", "64");
  const Outcomes outcomes = pair.run(seconds(40));
  EXPECT_EQ(outcomes.server.exit_code, outcomes.client.exit_code) << outcomes.server.describe();
  EXPECT_FALSE(outcomes.server.timed_out || outcomes.client.timed_out);
  EXPECT_TRUE(outcomes.server.exit_code == 0 || !outcomes.server.err.empty())
      << outcomes.server.describe();
}

TEST(EmulatorFaults, DeadPeerConnection) {
  const Outcomes outcomes = faulty("client:peer@1=die:300000").run();
  EXPECT_EQ(outcomes.server.exit_code, 1) << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 1) << outcomes.client.describe();
}

TEST(EmulatorFaults, DelaysAreNoFailure) {
  const Outcomes outcomes =
      faulty("accept@1=delay:500;client:connect@2=delay:500;server:test@3=delay:300").run();
  EXPECT_EQ(outcomes.server.exit_code, 0) << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
}

// A plugin that ends the process: the user learns in which call, the status is no success whatever
// the plugin says, and the other side does not hang.
class PluginExits : public testing::TestWithParam<const char*> {};
TEST_P(PluginExits, IsExplainedOnBothSides) {
  const Outcomes outcomes = faulty(std::string("server:regMr@1=") + GetParam()).run();
  EXPECT_TRUE(outcomes.server.exit_code == 1 || outcomes.server.exit_code == 3)
      << outcomes.server.describe();
  EXPECT_TRUE(matches(outcomes.server.err, "regMr\\(.*channel 1")) << outcomes.server.describe();
  EXPECT_TRUE(
      outcomes.server.out.ends_with("Run ended by the plugin GPUDirectTCPX_emulated_v7 (exit in a "
                                    "call of hawser's): see stderr\n"))
      << outcomes.server.describe();
  EXPECT_TRUE(outcomes.client.exit_code == 1 || outcomes.client.exit_code == 3)
      << outcomes.client.describe();
  EXPECT_TRUE(matches(outcomes.client.err, "closed the connection|was reset"))
      << outcomes.client.describe();
}
INSTANTIATE_TEST_SUITE_P(Emulator, PluginExits, testing::Values("exit:0", "exit:1"));

// Where the plugin ends the process by itself no call of hawser's tells why: its own words do.
ValidationPair with_plugin_that_exits_alone() {
  ValidationPair pair;
  pair.with("--plugin", built("tests/plugins/libnccl-net-loopback-exits-alone.so"))
      .with("--timeout", "10");
  pair.dev = "0";
  return pair;
}

TEST(PluginExitsAlone, IsExplainedAndTheReportSaysSo) {
  const Outcomes outcomes = with_plugin_that_exits_alone().run();
  const Outcome& server = outcomes.server;
  EXPECT_EQ(server.exit_code, 3) << server.describe();
  EXPECT_TRUE(
      server.out.ends_with("\nRun ended by the plugin GPUDirectTCPX_emulated_exit_v7 (exit "
                           "by its own thread): see stderr\n"))
      << server.describe();
  EXPECT_TRUE(contains(server.out, "[GPU 0 CH 0] Starting server")) << server.describe();
  for (const char* words :
       {"rx no cmsg\n", "called exit\\(3\\) in thread sim-worker \\([0-9]+\\), with",
        "last words of plugin .* in the log: no free space", "where to look: RxDM"})
    EXPECT_TRUE(matches(server.err, words)) << words << server.describe();
  EXPECT_NE(outcomes.client.exit_code, 0) << outcomes.client.describe();
}

TEST(PluginExitsAlone, IsAnErrorOfTheChannelsWhenIsolated) {
  ValidationPair pair = with_plugin_that_exits_alone();
  pair.with("--isolate");
  const Outcomes outcomes = pair.run();
  const Outcome& server = outcomes.server;
  EXPECT_EQ(server.exit_code, 1) << server.describe();
  EXPECT_TRUE(contains(server.out, "=== TEST FAILED ===\n")) << server.describe();
  EXPECT_TRUE(matches(server.err,
                      "the plugin GPUDirectTCPX_emulated_exit_v7 called exit\\(3\\) in a "
                      "thread of its own \\(sim-worker\\).*\"rx no cmsg\""))
      << server.describe();
  EXPECT_NE(outcomes.client.exit_code, 0) << outcomes.client.describe();
}

// JSON has stdout for itself.
TEST(PluginExitsAlone, LeavesNoSentenceAmongJson) {
  ValidationPair pair = with_plugin_that_exits_alone();
  pair.server_only = {"--json", "-"};
  const Outcomes outcomes = pair.run();
  EXPECT_EQ(outcomes.server.out, "");
  EXPECT_TRUE(contains(outcomes.server.err, "Run ended by the plugin"))
      << outcomes.server.describe();
}

TEST(EmulatorFaults, AbortingPluginDoesNotHangTheOtherSide) {
  const Outcomes outcomes = faulty("server:regMr@1=abort").run();
  EXPECT_EQ(outcomes.server.signal, SIGABRT);
  EXPECT_EQ(outcomes.client.exit_code, 1) << outcomes.client.describe();
  EXPECT_TRUE(matches(outcomes.client.err, "closed the connection|was reset"))
      << outcomes.client.describe();
}

TEST(EmulatorFaults, HangingCallIsNamed) {
  const Outcomes outcomes = faulty("server:regMr@1=hang").run(seconds(40));
  EXPECT_EQ(outcomes.server.exit_code, 1) << outcomes.server.describe();
  EXPECT_TRUE(matches(outcomes.server.err, "regMr")) << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 1) << outcomes.client.describe();
}

TEST(EmulatorFaults, HangingCloseIsNamedAndTakesNoResultWithIt) {
  const Outcomes outcomes = faulty("server:closeRecv@1=hang").run(seconds(40));
  EXPECT_EQ(outcomes.server.exit_code, 0) << outcomes.server.describe();
  EXPECT_TRUE(contains(outcomes.server.out, "=== ALL CHANNELS PASSED ==="));
  EXPECT_TRUE(matches(outcomes.server.err, "closing the channels: stuck in closeRecv"))
      << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
}

TEST(EmulatorFaults, ExitOnCloseIsNamedAndTakesNoReportWithIt) {
  const Outcomes outcomes = faulty("server:closeRecv@*=exit:0").run();
  EXPECT_NE(outcomes.server.exit_code, 0) << outcomes.server.describe();
  EXPECT_TRUE(contains(outcomes.server.out, "=== ALL CHANNELS PASSED ==="));
  EXPECT_TRUE(matches(outcomes.server.err, "called exit\\(\\) inside closeRecv"))
      << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
}

TEST(EmulatorFaults, HangingInitIsNamed) {
  const Outcome outcome = run(faulty("init=hang").server(), seconds(40));
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_TRUE(matches(outcome.err, "init")) << outcome.describe();
}

TEST(EmulatorFaults, InitFailureIsNamed) {
  expect_could_not_run(run(faulty("init=fail:3").server()), "init.*3");
}

// The report alone is on standard output, whatever a plugin prints there.
TEST(EmulatorFaults, PrintingPluginDoesNotSpoilTheReport) {
  const Outcomes outcomes = faulty("regMr@1=print:hello from the plugin").run();
  EXPECT_EQ(outcomes.server.exit_code, 0) << outcomes.server.describe();
  EXPECT_FALSE(contains(outcomes.server.out, "hello from the plugin"))
      << outcomes.server.describe();
  EXPECT_TRUE(contains(outcomes.server.err, "hello from the plugin")) << outcomes.server.describe();
}

}  // namespace
}  // namespace hawser::test
