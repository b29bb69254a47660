#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "validation/report.h"

namespace hawser {
namespace {

// A run over TCPX with GPU memory and four channels.
Outcome page_outcome() {
  Outcome outcome;
  Subject& subject = outcome.subject;
  subject.device.name = "eth1";
  subject.device.speed_mbps = 200000;
  subject.device.devmem = Devmem::real;
  subject.device.capabilities.cuda_pointers = true;
  subject.device_count = 4;
  subject.channels = 4;
  subject.bytes = 16'777'216;
  subject.memory = MemoryKind::cuda;
  subject.transport = "GPUDirectTCPX_v7";
  outcome.first.channels.assign(4, ChannelOutcome{true, true, true, {}, {}});
  return outcome;
}

ChannelOutcome not_created(Operation operation) {
  return {false,
          false,
          false,
          ChannelFailure{operation, Error(Code::plugin, "3 (internal error)")},
          {}};
}

PassOutcome one_channel(bool passes) {
  PassOutcome pass;
  pass.channels.push_back(passes ? ChannelOutcome{true, true, true, {}, {}}
                                 : not_created(Operation::accept));
  return pass;
}

std::string report_of(const Outcome& outcome) {
  std::string text;
  const Report report([&](std::string_view line) { text.append(line).append("\n"); },
                      outcome.subject);
  report.banner();
  report.starting();
  report.creation(outcome.first);
  report.transfers(outcome.first);
  report.verdict(outcome);
  return text;
}

constexpr const char* kPage = R"(=== Devmem Validation Test ===
Role: server
GPU: 0
Dev: 0 (eth1)
Channels: 4 (all on same NIC)
==============================

TCPX devices: 4
Device 0: eth1 (speed=200000 Mbps)

[GPU 0 CH 0] Starting server on dev 0
[GPU 0 CH 1] Starting server on dev 0
[GPU 0 CH 2] Starting server on dev 0
[GPU 0 CH 3] Starting server on dev 0
[GPU 0 CH 0] Channel created successfully (server)
[GPU 0 CH 1] Channel created successfully (server)
[GPU 0 CH 2] Channel created successfully (server)
[GPU 0 CH 3] Channel created successfully (server)
[GPU 0 CH 0] Recv OK (16777216 bytes)
[GPU 0 CH 1] Recv OK (16777216 bytes)
[GPU 0 CH 2] Recv OK (16777216 bytes)
[GPU 0 CH 3] Recv OK (16777216 bytes)
[GPU 0 CH 0] Test PASSED
[GPU 0 CH 1] Test PASSED
[GPU 0 CH 2] Test PASSED
[GPU 0 CH 3] Test PASSED

=== TEST RESULTS ===
Success: 4 / 4
Failed:  0 / 4

=== ALL CHANNELS PASSED ===
Result: Single-process CAN use multiple channels on same NIC
Devmem conflicts: RESOLVED
Proceed to Step 3: Full refactor
)";

TEST(Report, IsThePageWordForWord) {
  EXPECT_EQ(report_of(page_outcome()), kPage);
}

TEST(Report, OfAFailureIsThePageWordForWord) {
  Outcome outcome = page_outcome();
  for (std::size_t channel = 1; channel < 4; ++channel)
    outcome.first.channels[channel] = not_created(Operation::reg_mr);
  outcome.alone = one_channel(true);
  const std::string report = report_of(outcome);
  EXPECT_NE(report.find("[GPU 0 CH 0] Channel created successfully (server)\n"
                        "[GPU 0 CH 1] tcpx_reg_mr failed\n"
                        "[GPU 0 CH 1] Test FAILED\n"),
            std::string::npos)
      << report;
  EXPECT_TRUE(
      report.ends_with("\n=== TEST RESULTS ===\n"
                       "Success: 1 / 4\n"
                       "Failed:  3 / 4\n"
                       "\n"
                       "=== TEST FAILED ===\n"
                       "Result: Single-process CANNOT use multiple channels on same NIC\n"
                       "Devmem conflicts: STILL PRESENT\n"
                       "Action: Contact Google, reconsider approach\n"))
      << report;
}

TEST(Report, TheClientSends) {
  Outcome outcome = page_outcome();
  outcome.subject.role = Role::client;
  const std::string report = report_of(outcome);
  for (const char* line : {"Role: client\n", "[GPU 0 CH 3] Starting client on dev 0\n",
                           "[GPU 0 CH 3] Channel created successfully (client)\n",
                           "[GPU 0 CH 3] Send OK (16777216 bytes)\n"})
    EXPECT_NE(report.find(line), std::string::npos) << line;
}

// The same run without the proof that one channel alone passes.
TEST(Report, OfAFailureThatProvesNothingHasNoneOfThePagesWords) {
  Outcome outcome = page_outcome();
  for (ChannelOutcome& channel : outcome.first.channels) channel = not_created(Operation::accept);
  outcome.alone = one_channel(false);
  EXPECT_TRUE(report_of(outcome).ends_with(
      "=== TEST FAILED ===\n"
      "Result: NOT DETERMINED (one channel alone fails, too: channel 0 on the server: "
      "tcpx_accept_v5 failed: 3 (internal error))\n"
      "Devmem conflicts: NOT DETERMINED\n"
      "Action: Read RxDM's log on both machines and what the transport says on both sides' stderr; "
      "docs/tcpx.md has the plugin's errors and what to do\n"
      "One channel alone: fails too\n"))
      << report_of(outcome);
}

TEST(Report, OfAConflictThatSpoilsBytesSaysWhatHappened) {
  Outcome outcome = page_outcome();
  outcome.alone = one_channel(true);
  outcome.first.channels[2] = {
      true,
      true,
      false,
      ChannelFailure{Operation::verify, Error(Code::data, "Data mismatch at offset 5")},
      {}};
  EXPECT_TRUE(report_of(outcome).ends_with(
      "Devmem conflicts: STILL PRESENT\n"
      "Action: Contact Google, reconsider approach\n"
      "Reason: channel 2 on the server: Data verification failed: Data mismatch at offset 5\n"))
      << report_of(outcome);
}

TEST(Report, AWrongByteIsNamed) {
  Outcome outcome = page_outcome();
  outcome.first.channels[2] = {
      true,
      true,
      false,
      ChannelFailure{Operation::verify,
                     Error(Code::data, "Data mismatch at offset 5: expected 0x01, found 0x02")},
      {}};
  const std::string report = report_of(outcome);
  EXPECT_NE(report.find("[GPU 0 CH 2] Data mismatch at offset 5: expected 0x01, found 0x02\n"
                        "[GPU 0 CH 2] Test FAILED\n"),
            std::string::npos);
  EXPECT_EQ(report.find("[GPU 0 CH 2] Recv OK"), std::string::npos);
}

TEST(Report, AllIsWellHereButNotThere) {
  Outcome outcome = page_outcome();
  outcome.first.channels[1].failure = ChannelFailure{Operation::peer, Error(Code::peer, "x")};
  const std::string report = report_of(outcome);
  EXPECT_NE(report.find("[GPU 0 CH 1] Recv OK"), std::string::npos);
  EXPECT_NE(report.find("[GPU 0 CH 1] The other side's channel failed\n[GPU 0 CH 1] Test FAILED\n"),
            std::string::npos);
  EXPECT_NE(report.find("Success: 3 / 4"), std::string::npos);
}

TEST(Report, ALostPeerProvesNothing) {
  Outcome outcome = page_outcome();
  outcome.first.peer_lost = true;
  outcome.first.peer_lost_reason = "it closed";
  outcome.first.channels[0].failure =
      ChannelFailure{Operation::peer, Error(Code::peer, "it closed")};
  const std::string report = report_of(outcome);
  EXPECT_NE(report.find("Result: NOT DETERMINED (it closed)\nDevmem conflicts: NOT DETERMINED\n"),
            std::string::npos)
      << report;
}

TEST(Report, SaysWhatTheSerializedRetryFound) {
  Outcome outcome = page_outcome();
  outcome.first.channels[3] = not_created(Operation::accept);
  outcome.retry = PassOutcome();
  outcome.retry->channels.assign(4, ChannelOutcome{true, true, true, {}, {}});
  outcome.alone = one_channel(true);
  EXPECT_TRUE(report_of(outcome).ends_with("Serialized creation: works (4 / 4 channels passed)\n"));
  outcome.retry->channels[3] = not_created(Operation::accept);
  EXPECT_TRUE(
      report_of(outcome).ends_with("Serialized creation: fails too (3 / 4 channels passed)\n"));
  outcome.retry->channels[3] = {true, true, false, ChannelFailure{}, {}};
  EXPECT_TRUE(report_of(outcome).ends_with(
      "Serialized creation: works, but not all transfers (3 / 4 channels passed)\n"));
}

TEST(Report, OneChannelProvesNothingAboutSeveral) {
  Outcome outcome = page_outcome();
  outcome.subject.channels = 1;
  outcome.first.channels.resize(1);
  EXPECT_NE(report_of(outcome).find("CAN use 1 channel on this NIC (multiple channels NOT TESTED)"),
            std::string::npos);
}

TEST(Report, JsonHoldsTheSameAndSurvivesBytesThatAreNoText) {
  Outcome outcome = page_outcome();
  outcome.first.channels[1] = not_created(Operation::reg_mr);
  outcome.first.channels[1].failure->error = Error(Code::plugin, "\xff\xfe");
  outcome.alone = one_channel(true);
  const auto json = nlohmann::json::parse(outcome_json(outcome));
  EXPECT_EQ(json["passed"], false);
  EXPECT_EQ(json["pass"]["channels_passed"], 3);
  EXPECT_EQ(json["pass"]["channels"][1]["failure"]["operation"], "tcpx_reg_mr");
  EXPECT_EQ(json["devmem_conflicts"], "STILL PRESENT");
  EXPECT_EQ(json["verdict"], "conflict");
  EXPECT_EQ(json["one_channel"]["passed"], true);
}

TEST(Report, JsonSaysWhyNothingIsDeterminedAndWhatToDo) {
  Outcome outcome = page_outcome();
  outcome.first.peer_lost = true;
  outcome.first.peer_lost_reason = "it closed";
  outcome.first.channels[0].failure = ChannelFailure{};
  const auto json = nlohmann::json::parse(outcome_json(outcome));
  EXPECT_EQ(json["verdict"], "not determined");
  EXPECT_EQ(json["devmem_conflicts"], "NOT DETERMINED");
  EXPECT_EQ(json["reason"], "it closed");
  EXPECT_EQ(json["next_step"], judge(outcome).next_step);
  EXPECT_FALSE(json.contains("one_channel"));
}

}  // namespace
}  // namespace hawser
