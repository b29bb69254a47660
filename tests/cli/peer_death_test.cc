// What a side does when the other dies or hangs at a step of the run: it ends with an error, soon.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <tuple>

#include "cli/validation_pair.h"

namespace hawser::test {
namespace {

using std::chrono::seconds;

// A dead peer closes its connections, which is noticed at once, long before the deadline ...
constexpr const char* kLongTimeout = "30";
constexpr seconds kSoon{10};
// ... a hung one only at a deadline, and each stage of the run may have one of its own.
constexpr const char* kShortTimeout = "3";
constexpr seconds kBounded{25};

ValidationPair held_at(const std::string& step, bool server, const char* timeout) {
  ValidationPair pair;
  pair.with("--timeout", timeout);
  (server ? pair.server_holds_at : pair.client_holds_at) = step;
  return pair;
}

// The sides of a run of which one stops at a step.
struct HeldRun {
  HeldRun(const std::string& step, bool server_holds, const char* timeout)
      : pair(held_at(step, server_holds, timeout)),
        server(pair.server()),
        client(pair.client()),
        victim(server_holds ? server : client),
        survivor(server_holds ? client : server) {}

  ValidationPair pair;
  Subprocess server, client;
  Subprocess& victim;
  Subprocess& survivor;
};

void expect_explained_failure(const Outcome& outcome) {
  EXPECT_FALSE(outcome.timed_out);
  EXPECT_TRUE(outcome.exit_code == 1 || outcome.exit_code == 3) << outcome.describe();
  EXPECT_NE(outcome.err, "") << "no word about why";
  EXPECT_EQ(outcome.out.find("=== ALL CHANNELS PASSED ==="), std::string::npos)
      << outcome.describe();
}

using Step = std::tuple<const char*, bool>;

std::string step_name(const testing::TestParamInfo<Step>& info) {
  return std::string(std::get<0>(info.param)) +
         (std::get<1>(info.param) ? "_of_server" : "_of_client");
}

class PeerKilled : public testing::TestWithParam<Step> {};
TEST_P(PeerKilled, IsNoticedAtOnce) {
  HeldRun held(std::get<0>(GetParam()), std::get<1>(GetParam()), kLongTimeout);
  ASSERT_TRUE(held.victim.wait_for_output("holding at"));
  held.victim.send_signal(SIGKILL);
  expect_explained_failure(held.survivor.wait(kSoon));
}
INSTANTIATE_TEST_SUITE_P(Steps, PeerKilled,
                         testing::Combine(testing::Values("handles", "created", "transfer",
                                                          "results", "close"),
                                          testing::Bool()),
                         step_name);

TEST(PeerDeath, ClientKilledAfterThePlan) {
  HeldRun held("plan", false, kLongTimeout);
  ASSERT_TRUE(held.victim.wait_for_output("holding at plan"));
  held.victim.send_signal(SIGKILL);
  expect_explained_failure(held.survivor.wait(kSoon));
}

// The client has no plan yet and looks for a server again, until its deadline.
TEST(PeerDeath, ServerKilledBeforeThePlan) {
  HeldRun held("plan", true, kShortTimeout);
  ASSERT_TRUE(held.victim.wait_for_output("holding at plan"));
  held.victim.send_signal(SIGKILL);
  const Outcome outcome = held.survivor.wait(kBounded);
  expect_explained_failure(outcome);
  EXPECT_EQ(outcome.exit_code, 3) << outcome.describe();
}

class PeerHung : public testing::TestWithParam<Step> {};
TEST_P(PeerHung, IsNoticedWithinTheDeadline) {
  HeldRun held(std::get<0>(GetParam()), std::get<1>(GetParam()), kShortTimeout);
  ASSERT_TRUE(held.victim.wait_for_output("holding at"));
  expect_explained_failure(held.survivor.wait(kBounded));
}
INSTANTIATE_TEST_SUITE_P(Steps, PeerHung,
                         testing::Combine(testing::Values("plan", "handles", "created", "transfer",
                                                          "results", "close"),
                                          testing::Bool()),
                         step_name);

// A client that never says hello: the server waits for another until its deadline, and says so.
TEST(PeerDeath, ClientKilledBeforeHello) {
  HeldRun held("hello", false, kShortTimeout);
  ASSERT_TRUE(held.victim.wait_for_output("holding at hello"));
  held.victim.send_signal(SIGKILL);
  expect_explained_failure(held.survivor.wait(kBounded));
}

TEST(PeerDeath, ServerServesTheNextClientWhenTheFirstDiedBeforeHello) {
  HeldRun held("hello", false, kShortTimeout);
  ASSERT_TRUE(held.victim.wait_for_output("holding at hello"));
  held.victim.send_signal(SIGKILL);
  held.pair.client_holds_at.clear();
  EXPECT_EQ(run(held.pair.client()).exit_code, 0);
  EXPECT_EQ(held.server.wait().exit_code, 0);
}

class PeerStopped : public testing::TestWithParam<bool> {};
TEST_P(PeerStopped, InTheMiddleIsNoticedWithinTheDeadline) {
  HeldRun held("transfer", GetParam(), kShortTimeout);
  ASSERT_TRUE(held.victim.wait_for_output("holding at transfer"));
  held.victim.send_signal(SIGSTOP);  // its heartbeats stop, too
  expect_explained_failure(held.survivor.wait(kBounded));
}
INSTANTIATE_TEST_SUITE_P(PeerDeath, PeerStopped, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Server" : "Client"; });

// Interrupted by its user: the other side is not left waiting.
TEST(PeerDeath, InterruptedServerEndsTheClient) {
  HeldRun held("transfer", true, kLongTimeout);
  ASSERT_TRUE(held.victim.wait_for_output("holding at transfer"));
  held.victim.send_signal(SIGINT);
  expect_explained_failure(held.survivor.wait(kSoon));
}

}  // namespace
}  // namespace hawser::test
