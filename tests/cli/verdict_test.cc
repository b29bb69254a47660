// What a run that fails says it has proved, by what went wrong: the page's words for a conflict
// only.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/validation_pair.h"
#include "support/netns.h"

namespace hawser::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Keeps all channels in the making at the same time, and lets one of them end last.
constexpr const char* kAllAtOnce =
    "server:accept@0=delay:900;server:accept=delay:300;server:devmem=conflict";

ValidationPair emulated_pair(const std::string& faults) {
  ValidationPair pair;
  pair.emulated(faults).with("--bytes", "1048576").with("--timeout", "3");
  return pair;
}

std::string line_of(const std::string& report, const std::string& key) {
  const std::size_t at = report.find("\n" + key);
  if (at == std::string::npos) return "no line " + key;
  return report.substr(at + 1, report.find('\n', at + 1) - at - 1);
}

// Both end with status 1 and print the same result.
void expect_same_failure(const Outcomes& outcomes) {
  EXPECT_EQ(outcomes.server.exit_code, 1) << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 1) << outcomes.client.describe();
  EXPECT_EQ(line_of(outcomes.server.out, "Result: "), line_of(outcomes.client.out, "Result: "));
}

void expect_nothing_determined(const Outcome& outcome) {
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("Result: NOT DETERMINED ("), HasSubstr("\nAction: "),
                                 Not(HasSubstr("CANNOT")), Not(HasSubstr("STILL PRESENT")),
                                 Not(HasSubstr("Contact Google"))))
      << outcome.describe();
}

TEST(VerdictRun, OfAConflictIsThePagesOnBothSides) {
  const Outcomes outcomes = emulated_pair(kAllAtOnce).run();
  expect_same_failure(outcomes);
  for (const Outcome* outcome : {&outcomes.server, &outcomes.client}) {
    EXPECT_THAT(outcome->out,
                AllOf(HasSubstr("\nResult: Single-process CANNOT use multiple channels on same "
                                "NIC\nDevmem conflicts: "),
                      HasSubstr("\nAction: Contact Google, reconsider approach\n"),
                      Not(HasSubstr("NOT DETERMINED")), Not(HasSubstr("One channel alone"))));
    EXPECT_THAT(outcome->err, HasSubstr("trying one channel alone"));
  }
}

// As where the receive manager refuses a rule: no channel gets through, alone or not.
TEST(VerdictRun, OfAcceptsThatAreRefusedNamesThemAndWhatToDo) {
  const Outcomes outcomes = emulated_pair("server:accept=fail:3").run();
  expect_same_failure(outcomes);
  EXPECT_EQ(line_of(outcomes.server.out, "Result: "),
            "Result: NOT DETERMINED (one channel alone fails, too: channel 0 on the server: "
            "tcpx_accept_v5 failed: GPUDirectTCPX_emulated_v7: accept() on device " +
                line_of(outcomes.server.out, "Dev: ").substr(5, 1) +
                " failed: 3 (internal error))");
  EXPECT_THAT(outcomes.client.out,
              HasSubstr("\nDevmem conflicts: NOT TESTED (host memory over emulated TCPX "
                        "GPUDirectTCPX_emulated_v7)\n"
                        "Action: Read what the transport says on both sides' stderr; "
                        "docs/tcpx.md has the plugin's errors and what to do\n"
                        "Serialized creation: fails too (0 / 4 channels passed)\n"
                        "One channel alone: fails too\n"))
      << outcomes.client.describe();
}

// Of channels that fail in ways that other channels do not cause.
struct OtherCause {
  const char* name;
  const char* faults;
  const char* channels;
  const char* words;
};
void PrintTo(const OtherCause& cause, std::ostream* out) {
  *out << cause.faults;
}

class VerdictRunOf : public testing::TestWithParam<OtherCause> {};
TEST_P(VerdictRunOf, AnotherCauseDeterminesNothing) {
  ValidationPair pair = emulated_pair(GetParam().faults);
  const Outcomes outcomes = pair.with("--channels", GetParam().channels).run();
  expect_same_failure(outcomes);
  for (const Outcome* outcome : {&outcomes.server, &outcomes.client}) {
    expect_nothing_determined(*outcome);
    EXPECT_THAT(outcome->out, HasSubstr(GetParam().words)) << outcome->describe();
  }
}
INSTANTIATE_TEST_SUITE_P(
    Emulator, VerdictRunOf,
    testing::Values(
        OtherCause{"WrongArgumentOfAll", "client:regMr=fail:4", "4", "One channel alone: fails"},
        OtherCause{"WrongArgumentOfOne", "server:regMr@1=fail:4", "4", "One channel alone: passes"},
        OtherCause{"Stalled", "server:test@1=stall", "2", "One channel alone: passes"},
        OtherCause{"NeverConnected", "client:connect=never", "2", "One channel alone: fails"},
        OtherCause{"DroppedConnection", "client:peer@1=die:300000", "4",
                   "One channel alone: passes"},
        OtherCause{"HangingCall", "server:regMr@1=hang", "2", "One channel alone: not known"},
        OtherCause{"OneChannelAskedFor", "server:regMr=fail:3", "1",
                   "one channel was asked for, and it failed"}),
    [](const auto& tested) { return tested.param.name; });

TEST(VerdictRun, OfSpoiledBytesIsAConflictAndSaysSo) {
  const Outcomes outcomes = emulated_pair("server:payload@2=corrupt:70001").run();
  expect_same_failure(outcomes);
  for (const Outcome* outcome : {&outcomes.server, &outcomes.client})
    EXPECT_THAT(outcome->out,
                AllOf(HasSubstr("CANNOT use multiple channels"),
                      HasSubstr("\nReason: channel 2 on the server: Data "
                                "verification failed: Data mismatch at offset 70001")))
        << outcome->describe();
}

TEST(VerdictRun, OfAPluginThatEndsDeterminesNothing) {
  ValidationPair pair = emulated_pair("server:irecv@1=exit:7");
  const Outcomes isolated = pair.with("--isolate").run();
  expect_same_failure(isolated);
  expect_nothing_determined(isolated.server);
  EXPECT_THAT(isolated.client.out, HasSubstr("called exit(7) in irecv("));
  const Outcomes outcomes = emulated_pair("server:irecv@1=exit:7").run();
  expect_nothing_determined(outcomes.client);
}

TEST(VerdictRun, OfAPeerThatDiedDeterminesNothing) {
  ValidationPair pair;
  pair.server_holds_at = "transfer";
  Subprocess server(pair.server()), client(pair.client());
  ASSERT_TRUE(server.wait_for_output("holding at transfer"));
  server.send_signal(SIGKILL);
  const Outcome outcome = client.wait(std::chrono::seconds(10));
  EXPECT_EQ(outcome.exit_code, 1) << outcome.describe();
  expect_nothing_determined(outcome);
}

// The data connections' packets go nowhere; the control connection takes another device.
TEST(VerdictRun, OfAnAddressThatCannotBeReachedDeterminesNothing) {
  std::string why_not;
  const auto netns = NamespacePair::create(2, why_not);
  if (!netns) GTEST_SKIP() << why_not;
  ASSERT_TRUE(netns->configure(
      netns->b(), "neigh replace 10.77.1.1 lladdr 02:00:00:00:00:99 dev hw1 nud permanent"));
  ValidationPair pair;
  pair.server_netns = netns->a();
  pair.client_netns = netns->b();
  pair.server_address = "0.0.0.0";
  pair.client_address = NamespacePair::address_a(0);
  pair.dev = "hw1";
  const Outcomes outcomes = pair.with("--channels", "2").with("--timeout", "2").run();
  expect_same_failure(outcomes);
  expect_nothing_determined(outcomes.server);
  EXPECT_THAT(outcomes.server.out, HasSubstr("Action: Check that the two devices reach each other "
                                             "(here: hw1 10.77.1.1)"))
      << outcomes.server.describe();
}

TEST(VerdictRun, JsonHasTheReasonTheNextStepAndTheLoneChannel) {
  ValidationPair pair = emulated_pair("server:test@1=stall");
  pair.with("--json", "-").with("--channels", "2");
  const Outcomes outcomes = pair.run();
  const auto server = nlohmann::json::parse(outcomes.server.out);
  const auto client = nlohmann::json::parse(outcomes.client.out);
  EXPECT_EQ(server.at("verdict"), "not determined");
  EXPECT_EQ(server.at("one_channel").at("passed"), true);
  EXPECT_EQ(server.at("one_channel").at("channels").size(), 1u);
  EXPECT_FALSE(server.at("next_step").get<std::string>().empty());
  EXPECT_THAT(server.at("reason"), HasSubstr("channel 1 on the server: tcpx_irecv failed: "));
  for (const char* key : {"verdict", "reason", "next_step", "passed"})
    EXPECT_EQ(server.at(key), client.at(key)) << key;
}

}  // namespace
}  // namespace hawser::test
