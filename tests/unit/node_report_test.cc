// The forms of a node's report, and its progress line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "node/progress.h"
#include "node/report.h"

namespace hawser::node {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

GpuOutcome reported_gpu(int number) {
  GpuOutcome gpu;
  gpu.gpu = number;
  gpu.name = "played device";
  gpu.met = gpu.exact = true;
  gpu.start_s = 1;
  gpu.end_s = 3;
  gpu.sent = {10, 4'000'000'000};
  gpu.volume = {4'000'000'000, 4'000'000'000, 0};
  gpu.link.peer = "192.0.2.7:20000";
  gpu.link.up = true;
  gpu.link.channels.resize(2);
  for (int i = 0; i < 2; ++i) {
    ChannelReport& channel = gpu.link.channels[static_cast<std::size_t>(i)];
    channel.index = i;
    channel.device = i == 0 ? "eth1" : "eth2";
    channel.peer_device = "eth7";
    channel.state = ChannelState::up;
    channel.bytes_sent = 2'000'000'000;
  }
  return gpu;
}

NodeOutcome reported_node() {
  NodeOutcome outcome;
  outcome.role = Role::client;
  outcome.host = "here";
  outcome.peer_host = "there \xff";
  outcome.peer_memory = "GPU memory";
  outcome.transport = "TCP sockets (eth1, eth2)";
  outcome.devices = "2 played devices in host memory, no GPU";
  outcome.played = true;
  outcome.terms = {2, 400'000'000, 10, 0, false, true};
  outcome.gpus = {reported_gpu(0), reported_gpu(1)};
  return outcome;
}

std::string table_of(const NodeOutcome& outcome) {
  return table_of(outcome, keep_accounts(outcome));
}
json parsed(const NodeOutcome& outcome) {
  return json::parse(json_of(outcome, keep_accounts(outcome)));
}
RunStatus status_of(const NodeOutcome& outcome) {
  return status_of(outcome, keep_accounts(outcome));
}

TEST(NodeReport, SaysWhatWasMovedAndHowFast) {
  const std::string table = table_of(reported_node());
  EXPECT_THAT(table, HasSubstr("=== hawser node: client ===\n"));
  EXPECT_THAT(table, HasSubstr("here: 2 played devices in host memory, no GPU\n"));
  EXPECT_THAT(table, HasSubstr("2 devices, GPU memory\n"));
  EXPECT_THAT(table, HasSubstr("400000000 bytes per GPU and iteration, client to server, 10 "
                               "iterations; every byte compared\n"));
  EXPECT_THAT(table, ::testing::ContainsRegex("GPU 1 +10 +4000000000 +0 +2.000 +0.000 +2/2 +passed "
                                              "+eth1,eth2\n"));
  EXPECT_THAT(table, ::testing::ContainsRegex("total +8000000000 +0 +4.000"));
  EXPECT_THAT(table, ::testing::ContainsRegex("eth2 +4000000000 +0 +2.000"));
  EXPECT_THAT(table, ::testing::ContainsRegex("1 +0 +eth1 -> eth7 +2000000000 +0 +1.000"));
  EXPECT_THAT(table, HasSubstr("Accounts agree: 8000000000 bytes sent and 0 received by 4 "
                               "channels, by 2 NICs, by 2 GPUs, and by the "
                               "program's own count\n"));
  EXPECT_THAT(table, HasSubstr("\n=== NODE PASSED: 2 / 2 GPUs ===\n"));
  EXPECT_EQ(status_of(reported_node()), RunStatus::passed);
}

TEST(NodeReport, UnverifiedDataIsSaidToBe) {
  NodeOutcome outcome = reported_node();
  outcome.terms.verify = false;
  EXPECT_THAT(table_of(outcome), HasSubstr("data NOT VERIFIED"));
  EXPECT_EQ(parsed(outcome).at("terms").at("verified"), false);
}

TEST(NodeReport, AFailedGpuIsNamedWithItsReasonAndTheOthersStand) {
  NodeOutcome outcome = reported_node();
  outcome.gpus[1].error = Error(Code::peer, "the peer is gone \xfe");
  outcome.gpus[1].exact = false;
  const std::string table = table_of(outcome);
  EXPECT_THAT(table, HasSubstr("GPU 1: FAILED (peer): the peer is gone"));
  EXPECT_THAT(table, HasSubstr("10 iterations; compared as far as it came\n"));
  EXPECT_THAT(table, HasSubstr("of which the program knows 8000000000 and 0: links failed in the "
                               "middle\n"));
  EXPECT_THAT(table, HasSubstr("=== NODE FAILED: 1 / 2 GPUs ==="));
  EXPECT_EQ(status_of(outcome), RunStatus::failed);
  const json report = parsed(outcome);
  EXPECT_EQ(report.at("passed"), false);
  EXPECT_EQ(report.at("gpus")[0].at("passed"), true);
  EXPECT_EQ(report.at("gpus")[1].at("failure").at("kind"), "peer");
  EXPECT_EQ(report.at("gpus")[1].at("failure").at("there"), false);
}

TEST(NodeReport, WithoutAChannelNothingIsSaidToAgree) {
  NodeOutcome outcome = reported_node();
  outcome.gpus.resize(1);
  outcome.gpus[0] = GpuOutcome();
  outcome.gpus[0].error = Error(Code::timeout, "no peer");
  EXPECT_THAT(table_of(outcome), HasSubstr("Accounts: nothing to add up, no channel was made\n"));
}

TEST(NodeReport, AChannelThatWasTakenOverShows) {
  NodeOutcome outcome = reported_node();
  ChannelReport& channel = outcome.gpus[0].link.channels[1];
  channel.state = ChannelState::down;
  channel.failures = 3;
  channel.bytes_sent_again = 1234;
  channel.last_failure = "connection reset";
  EXPECT_THAT(table_of(outcome), ::testing::ContainsRegex("down +1234 +3  connection reset\n"));
  EXPECT_THAT(table_of(outcome), ::testing::ContainsRegex("GPU 0 .* 1/2 "));
  const json report = parsed(outcome);
  const json& taken = report.at("gpus")[0].at("link").at("channel_list")[1];
  EXPECT_EQ(taken.at("failures"), 3);
  EXPECT_EQ(taken.at("bytes_sent_again"), 1234);
  EXPECT_EQ(taken.at("last_failure"), "connection reset");
  EXPECT_EQ(report.at("total").at("failures"), 3);
  EXPECT_EQ(status_of(outcome), RunStatus::passed) << "nothing was lost";
}

TEST(NodeReport, AnInterruptedRunHasNotPassed) {
  NodeOutcome outcome = reported_node();
  outcome.interrupted = true;
  EXPECT_THAT(table_of(outcome),
              HasSubstr("INTERRUPTED: less may have been moved than was asked for"));
  EXPECT_THAT(table_of(outcome), HasSubstr("=== NODE INTERRUPTED: 2 / 2 GPUs ==="));
  EXPECT_EQ(status_of(outcome), RunStatus::failed);
  EXPECT_EQ(parsed(outcome).at("interrupted"), true);
}

TEST(NodeReport, AccountsThatDoNotAgreeAreAFailure) {
  NodeOutcome outcome = reported_node();
  ++outcome.gpus[0].volume.sent;
  EXPECT_THAT(table_of(outcome), HasSubstr("Accounts: DO NOT AGREE: GPU 0"));
  EXPECT_THAT(table_of(outcome), HasSubstr("=== NODE FAILED: 2 / 2 GPUs ==="));
  EXPECT_EQ(status_of(outcome), RunStatus::failed);
  EXPECT_THAT(parsed(outcome).at("accounts").at("difference").get<std::string>(),
              HasSubstr("GPU 0"));
}

TEST(NodeReport, WhereNobodyWasMetItCouldNotRun) {
  NodeOutcome outcome = reported_node();
  outcome.peer_host.clear();
  for (GpuOutcome& gpu : outcome.gpus) {
    gpu = GpuOutcome();
    gpu.error = Error(Code::timeout, "nobody there");
  }
  EXPECT_EQ(status_of(outcome), RunStatus::could_not_run);
  EXPECT_THAT(table_of(outcome), HasSubstr("Peer:      none\n"));
  EXPECT_FALSE(parsed(outcome).contains("peer"));
}

TEST(NodeReport, JsonAddsUp) {
  const json report = parsed(reported_node());
  EXPECT_EQ(report.at("role"), "client");
  EXPECT_EQ(report.at("played"), true);
  std::uint64_t channels = 0, nics = 0, gpus = 0;
  for (const json& gpu : report.at("gpus")) {
    gpus += gpu.at("link").at("bytes_sent").get<std::uint64_t>();
    for (const json& channel : gpu.at("link").at("channel_list"))
      channels += channel.at("bytes_sent").get<std::uint64_t>();
  }
  for (const json& nic : report.at("nics")) nics += nic.at("bytes_sent").get<std::uint64_t>();
  EXPECT_EQ(channels, 8'000'000'000u);
  EXPECT_EQ(nics, channels);
  EXPECT_EQ(gpus, channels);
  for (const char* who : {"channels", "nics", "gpus", "program"})
    EXPECT_EQ(report.at("accounts").at(who).at("bytes_sent"), channels) << who;
  EXPECT_DOUBLE_EQ(report.at("total").at("sent").at("gb_per_s").get<double>(), 4.0);
}

TEST(NodeFigures, AreOverTheWholeTimeAndZeroInNone) {
  NodeOutcome outcome = reported_node();
  outcome.gpus[0].end_s = 5;
  outcome.gpus[1].start_s = 0.5;
  EXPECT_DOUBLE_EQ(seconds_of(outcome), 4.5);
  EXPECT_DOUBLE_EQ(seconds_of(NodeOutcome()), 0);
  EXPECT_DOUBLE_EQ(gigabytes_per_second(5, 0), 0);
  EXPECT_DOUBLE_EQ(gigabytes_per_second(3'000'000'000, 2), 1.5);
}

TEST(NodeProgress, TellsTheRateSinceTheLastLook) {
  const TimePoint start{};
  Progress progress(start);
  std::vector<GpuSample> views{{Stage::moving, 1'000'000'000, 4, 0}, {Stage::meeting, 0, 0, 0}};
  EXPECT_THAT(progress.line(views, start + Milliseconds(1000)),
              HasSubstr("1.0 s: 1.000 GB/s now (by GPU: 1.00 0.00); channels 4 up, 0 down; GPUs: 1 "
                        "meeting, 1 moving"));
  views[0] = {Stage::moving, 1'500'000'000, 3, 1};
  views[1] = {Stage::moving, 250'000'000, 4, 0};
  EXPECT_THAT(progress.line(views, start + Milliseconds(1500)),
              HasSubstr("1.5 s: 1.500 GB/s now (by GPU: 1.00 0.50); channels 7 up, 1 down; GPUs: 2 "
                        "moving"));
  EXPECT_THAT(progress.line(views, start + Milliseconds(1500)), HasSubstr(": 0.000 GB/s"))
      << "no time has passed";
}

TEST(NodeProgress, ALinkThatIsGoneMovesNothing) {
  Progress progress(TimePoint{});
  progress.line({{Stage::moving, 1000, 1, 0}}, TimePoint{} + Milliseconds(10));
  EXPECT_THAT(progress.line({{Stage::ended, 0, 0, 0}}, TimePoint{} + Milliseconds(20)),
              HasSubstr("0.000 GB/s"));
}

TEST(NodeSeat, ShowsItsStageAndKeepsItsOutcome) {
  GpuView view;
  EXPECT_EQ(view.sample().stage, Stage::meeting);
  EXPECT_FALSE(view.left());
  view.enter(Stage::moving);
  EXPECT_EQ(view.sample().stage, Stage::moving);
  view.leave(reported_gpu(4));
  EXPECT_TRUE(view.left());
  EXPECT_EQ(view.outcome()->gpu, 4);
  EXPECT_EQ(view.sample().stage, Stage::ended);
}

}  // namespace
}  // namespace hawser::node
