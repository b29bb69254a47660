// hawser perf and hawser plot, as real programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/validation_pair.h"
#include "support/netns.h"
#include "support/temp_dir.h"

namespace hawser::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

Command perf_command(const Words& words) {
  Command command;
  command.args = {hawser_program(), "perf"};
  command.args.insert(command.args.end(), words.begin(), words.end());
  command.with_env("HAWSER_SOCKET_IFNAME", "lo");
  return command;
}

// A measurement that is over soon, whatever it is worth.
Words quick(Words more) {
  for (const char* word : {"--repeats", "2", "--duration-ms", "10", "--timeout", "20"})
    more.emplace_back(word);
  return more;
}

json loopback(Words more) {
  const TempDir dir;
  more.insert(more.begin(), {"--loopback", "--json", dir.file("out.json")});
  const Outcome outcome = run(perf_command(quick(more)));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.describe();
  return json::parse(read_file(dir.file("out.json")), nullptr, false);
}

TEST(PerfCommand, LoopbackMeasuresEverySizeBothWaysOfTraffic) {
  const json report = loopback({"--sizes", "8,4K,300000"});
  ASSERT_EQ(report.at("points").size(), 6u);
  EXPECT_EQ(report.at("over"), "link") << "what users of the library have";
  for (const json& point : report.at("points")) {
    EXPECT_GT(point.at("transport").at("gb_per_s").at("median").get<double>(), 0) << point;
    EXPECT_GT(point.at("bare").at("gb_per_s").at("median").get<double>(), 0) << point;
    EXPECT_EQ(point.at("transport").at("repeats").size(), 2u);
    EXPECT_GT(point.at("transport").at("repeats")[0].at("server_cpu_ns").get<double>(), 0);
  }
  EXPECT_EQ(report.at("points")[3].at("traffic"), "ping-pong");
  EXPECT_GT(report.at("points")[3].at("transport").at("half_rtt_us").at("p99.9").get<double>(), 0);
}

// Nothing that is printed lands in the report's file, which may have the number of such a stream.
TEST(PerfCommand, StartedWithoutStandardStreamsItsReportIsWhole) {
  const TempDir dir;
  Command command = perf_command(
      quick({"--loopback", "--sizes", "8", "--mode", "pingpong", "--json", dir.file("out.json")}));
  const Words closing = {"bash", "-c", "exec \"$@\" 0>&- 1>&- 2>&-", "bash"};
  command.args.insert(command.args.begin(), closing.begin(), closing.end());
  const Outcome outcome = run(command);
  const json report = json::parse(read_file(dir.file("out.json")), nullptr, false);
  ASSERT_TRUE(report.is_object()) << outcome.describe();
  EXPECT_EQ(report.at("points").size(), 1u);
}

TEST(PerfCommand, SaysWhatTheTransportsSocketsAreAndSetsTheBareOnesAlike) {
  const json report = loopback({"--sizes", "8", "--mode", "pingpong", "--over", "net"});
  const std::string congestion = report.at("bare_congestion");
  EXPECT_NE(congestion, "");
  for (const char* side : {"client", "server"})
    EXPECT_THAT(report.at(side).get<std::string>(), HasSubstr("2 TCP sockets with " + congestion));
  EXPECT_EQ(loopback({"--sizes", "8", "--bare-congestion", "reno"}).at("bare_congestion"), "reno");
}

class PerfOverEach : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(PerfCommand, PerfOverEach, testing::Values("link", "net"),
                         [](const auto& tested) { return tested.param; });

TEST_P(PerfOverEach, ManyChannelsBothWaysOverSeveralThreads) {
  const json report =
      loopback({"--sizes", "64,64K", "--mode", "stream", "--channels", "5", "--threads", "2",
                "--bidirectional", "--bare-sockets", "2", "--over", GetParam()});
  EXPECT_EQ(report.at("over"), GetParam());
  ASSERT_EQ(report.at("points").size(), 2u);
  EXPECT_EQ(report.at("channels"), 5);
  EXPECT_EQ(report.at("bare_sockets"), 2);
  EXPECT_EQ(report.at("bidirectional"), true);
  const json& moved = report.at("points")[0].at("transport");
  EXPECT_EQ(moved.at("messages_per_repeat").get<std::uint64_t>() % 10, 0u)
      << "five channels, two ways";
}

TEST_P(PerfOverEach, DrivesAPluginByItsRules) {
  const json report = loopback({"--sizes", "8,4K,1M", "--plugin", emulator_plugin(), "--channels",
                                "2", "--over", GetParam()});
  EXPECT_THAT(report.at("transport").get<std::string>(), HasSubstr("emulated"));
  EXPECT_EQ(report.at("points").size(), 6u);
  EXPECT_EQ(report.at("chunk_bytes"), 524288);
}

TEST(PerfCommand, WrongBytesAreAFailure) {
  Command command = perf_command(quick({"--loopback", "--sizes", "1M", "--mode", "stream", "--over",
                                        "net", "--plugin", emulator_plugin()}));
  command.with_env("HAWSER_EMU_FAULTS", "payload@0=corrupt:1500000");
  const Outcome outcome = run(command);
  EXPECT_EQ(outcome.exit_code, 1) << outcome.describe();
  EXPECT_THAT(outcome.err, HasSubstr("wrong data at offset"));
}

TEST(PerfCommand, PlotDrawsWhatWasMeasured) {
  const TempDir dir;
  ASSERT_EQ(run(perf_command(quick({"--loopback", "--sizes", "8,4K", "--mode", "stream", "--json",
                                    dir.file("a.json"), "--csv", dir.file("a.csv")})))
                .exit_code,
            0);
  Command plot;
  plot.args = {hawser_program(), "plot", dir.file("a.json"), dir.file("a.svg")};
  EXPECT_EQ(run(plot).exit_code, 0);
  EXPECT_THAT(read_file(dir.file("a.svg")), HasSubstr("</svg>"));
  EXPECT_THAT(read_file(dir.file("a.csv")), HasSubstr("stream,4096,bare,2,"));
  plot.args[2] = dir.file("a.csv");
  const Outcome wrong = run(plot);
  EXPECT_EQ(wrong.exit_code, 3);
  EXPECT_THAT(wrong.err, HasSubstr("not a report of"));
}

TEST(PerfCommand, UsageIsSaid) {
  for (const Words& words :
       {Words{}, Words{"--loopback", "server"}, Words{"client"},
        Words{"--loopback", "--sizes", "4"}, Words{"--loopback", "--channels", "-1"},
        Words{"--loopback", "--mode", "x"}}) {
    const Outcome outcome = run(perf_command(words));
    EXPECT_EQ(outcome.exit_code, 2) << outcome.describe();
    EXPECT_EQ(outcome.out, "");
  }
}

// Server and client as two programs that the test can end.
class PerfPeers : public ::testing::Test {
 protected:
  Command side(const std::string& role, Words more = {}, const char* timeout = "20") const {
    Words words{role,        "--address", "127.0.0.1", "--port-base", std::to_string(ports_.base()),
                "--timeout", timeout,     "--progress"};
    words.insert(words.end(), more.begin(), more.end());
    return perf_command(words);
  }
  // The client's part of a run that would last for minutes.
  Command long_client() const {
    return side("client", {"--sizes", "64K", "--mode", "stream", "--repeats", "1000",
                           "--duration-ms", "300"});
  }

  PortRange ports_;
};

TEST_F(PerfPeers, TwoProgramsMeasureWithEachOther) {
  Subprocess server(side("server"));
  Subprocess client(side("client", {"--sizes", "4K", "--repeats", "1", "--duration-ms", "10"}));
  const Outcome measured = client.wait();
  EXPECT_EQ(measured.exit_code, 0) << measured.describe();
  EXPECT_THAT(measured.out, HasSubstr("not pinned"));
  EXPECT_EQ(server.wait().exit_code, 0);
}

// The client chooses what is measured, this too.
TEST_F(PerfPeers, TheServerMeasuresWhatTheClientSays) {
  Subprocess server(side("server", {"--over", "link"}));
  const Outcome measured = run(
      side("client", {"--over", "net", "--sizes", "4K", "--repeats", "1", "--duration-ms", "10"}));
  EXPECT_EQ(measured.exit_code, 0) << measured.describe();
  EXPECT_THAT(measured.out, HasSubstr("the bare net of"));
  EXPECT_EQ(server.wait().exit_code, 0);
}

TEST_F(PerfPeers, AServerThatIsKilledEndsTheClientSoon) {
  Subprocess server(side("server"));
  Subprocess client(long_client());
  ASSERT_TRUE(client.wait_for_output("repeat 1/1000"));
  ASSERT_TRUE(server.send_signal(SIGKILL));
  const Outcome outcome = client.wait(seconds(10));
  EXPECT_FALSE(outcome.timed_out);
  EXPECT_EQ(outcome.exit_code, 1) << outcome.describe();
  EXPECT_THAT(outcome.err, HasSubstr("error: "));
  EXPECT_THAT(outcome.out, HasSubstr("ENDED EARLY"));
}

TEST_F(PerfPeers, AClientThatIsKilledEndsTheServerSoon) {
  Subprocess server(side("server"));
  Subprocess client(long_client());
  ASSERT_TRUE(client.wait_for_output("repeat 1/1000"));
  ASSERT_TRUE(client.send_signal(SIGKILL));
  const Outcome outcome = server.wait(seconds(10));
  EXPECT_FALSE(outcome.timed_out);
  EXPECT_EQ(outcome.exit_code, 1) << outcome.describe();
  EXPECT_THAT(outcome.err, HasSubstr("error: "));
}

TEST_F(PerfPeers, AServerThatHangsEndsTheClientAtItsDeadline) {
  Subprocess server(side("server"));
  Subprocess client(side(
      "client", {"--sizes", "64K", "--mode", "stream", "--repeats", "1000", "--duration-ms", "300"},
      "3"));
  ASSERT_TRUE(client.wait_for_output("repeat 1/1000"));
  ASSERT_TRUE(server.send_signal(SIGSTOP));
  const Outcome outcome = client.wait(seconds(20));
  EXPECT_FALSE(outcome.timed_out);
  EXPECT_EQ(outcome.exit_code, 1) << outcome.describe();
}

TEST_F(PerfPeers, LoopbackLeavesNoServerBehind) {
  Subprocess both(perf_command({"--loopback", "--sizes", "64K", "--mode", "stream", "--repeats",
                                "1000", "--duration-ms", "300", "--progress"}));
  ASSERT_TRUE(both.wait_for_output("repeat 1/1000"));
  ASSERT_TRUE(both.send_signal(SIGKILL));
  // The server shares its parent's output: wait() would not come back before both are gone.
  const Outcome outcome = both.wait(seconds(10));
  EXPECT_FALSE(outcome.timed_out);
  EXPECT_EQ(outcome.signal, SIGKILL);
}

TEST_F(PerfPeers, NobodyThereIsSaid) {
  const Outcome outcome = run(side("client", {}, "1"));
  EXPECT_EQ(outcome.exit_code, 3) << outcome.describe();
  EXPECT_THAT(outcome.err, HasSubstr("no hawser server answered"));
}

TEST_F(PerfPeers, AValidationDoesNotMeetAMeasurement) {
  Subprocess server(side("server", {}, "3"));
  Command validating;
  validating.args = {hawser_program(),
                     "validate",
                     "client",
                     "--address",
                     "127.0.0.1",
                     "--port-base",
                     std::to_string(ports_.base()),
                     "--memory",
                     "host"};
  validating.with_env("HAWSER_SOCKET_IFNAME", "lo");
  const Outcome refused = run(validating);
  EXPECT_EQ(refused.exit_code, 3) << refused.describe();
  EXPECT_THAT(refused.err, HasSubstr("hawser perf"));
  EXPECT_EQ(server.wait().exit_code, 3) << "it goes on waiting for its own client";
}

}  // namespace
}  // namespace hawser::test
