// hawser node: one process a side, all GPUs, all NICs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <set>

#include "cli/node_pair.h"

namespace hawser::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t kMebibyte = 1 << 20;

std::uint64_t moved(const json& report, const char* way) {
  return report.at("total").at(way).at("bytes").get<std::uint64_t>();
}

TEST(Node, EightPlayedDevicesMoveVerifiedDataAndTheBooksAddUp) {
  NodePair pair;
  pair.both.insert(pair.both.end(), {"--bytes", "1M", "--iterations", "5"});
  const Outcomes outcomes = pair.run();
  expect_node_passed(outcomes);
  EXPECT_THAT(outcomes.server.out, HasSubstr("8 played devices in host memory, no GPU"));
  EXPECT_THAT(outcomes.server.out,
              HasSubstr("client to server, 5 iterations; every byte compared"));
  const json server = pair.server_json(), client = pair.client_json();
  for (const json* report : {&server, &client}) {
    expect_adds_up(*report);
    EXPECT_EQ(report->at("played"), true);
    ASSERT_EQ(report->at("gpus").size(), 8u);
    EXPECT_EQ(report->at("terms").at("iterations"), 5);
  }
  EXPECT_EQ(moved(client, "sent"), 8 * 5 * kMebibyte);
  EXPECT_EQ(moved(client, "received"), 0u);
  EXPECT_EQ(moved(server, "received"), 8 * 5 * kMebibyte);
  EXPECT_EQ(client.at("accounts").at("program").at("bytes_sent"),
            server.at("accounts").at("program").at("bytes_received"))
      << "what one side sent, messages and all, the other received";
}

// Each GPU's link comes in on a port of its own: base + gpu * 8.
TEST(Node, EachGpuHasItsPortRange) {
  NodePair pair;
  pair.both.insert(pair.both.end(), {"--bytes", "64K", "--iterations", "1"});
  const Outcomes outcomes = pair.run();
  expect_node_passed(outcomes);
  EXPECT_THAT(outcomes.server.err, HasSubstr("ports " + std::to_string(pair.ports.base()) + " to " +
                                             std::to_string(pair.ports.base() + 56)));
  for (const json& gpu : pair.client_json().at("gpus")) {
    const std::string port = std::to_string(pair.ports.base() + gpu.at("gpu").get<int>() * 8);
    EXPECT_THAT(gpu.at("link").at("peer").get<std::string>(), HasSubstr(":" + port));
  }
}

TEST(Node, BothWaysAtOnce) {
  NodePair pair;
  pair.where[1] = "3";
  pair.both.insert(pair.both.end(),
                   {"--bytes", "1000003", "--iterations", "7", "--direction", "both"});
  const Outcomes outcomes = pair.run();
  expect_node_passed(outcomes);
  for (const json& report : {pair.server_json(), pair.client_json()}) {
    expect_adds_up(report);
    EXPECT_EQ(moved(report, "sent"), 3 * 7 * 1'000'003u);
    EXPECT_EQ(moved(report, "received"), 3 * 7 * 1'000'003u);
  }
}

TEST(Node, TheServersOptionsRule) {
  NodePair pair;
  pair.where[1] = "2";
  pair.server_only = {"--bytes", "128K", "--iterations", "3", "--direction", "both", "--no-verify"};
  pair.client_only = {"--bytes", "1M", "--iterations", "9"};
  const Outcomes outcomes = pair.run();
  expect_node_passed(outcomes);
  EXPECT_THAT(outcomes.client.err,
              HasSubstr("131072 bytes, not 1048576 bytes; 3 iterations, not 9 iterations; both "
                        "ways, not forward; unverified, not verified"));
  EXPECT_THAT(outcomes.client.out, HasSubstr("data NOT VERIFIED"));
  EXPECT_EQ(pair.client_json().at("terms"), pair.server_json().at("terms"));
  EXPECT_EQ(moved(pair.client_json(), "sent"), 2 * 3 * 131'072u);
}

TEST(Node, ForSomeSeconds) {
  NodePair pair;
  pair.where[1] = "2";
  pair.both.insert(pair.both.end(), {"--bytes", "256K", "--seconds", "0.5"});
  expect_node_passed(pair.run());
  const json report = pair.server_json();
  expect_adds_up(report);
  EXPECT_GT(moved(report, "received"), 0u);
  EXPECT_GE(report.at("total").at("seconds").get<double>(), 0.4);
}

TEST(Node, AsManyChannelsAsAskedFor) {
  NodePair pair;
  pair.where[1] = "2";
  pair.both.insert(pair.both.end(), {"--bytes", "4M", "--iterations", "2", "--channels", "3",
                                     "--chunk-bytes", "64K"});
  expect_node_passed(pair.run());
  for (const json& gpu : pair.client_json().at("gpus")) {
    EXPECT_EQ(gpu.at("link").at("channels"), 3);
    EXPECT_EQ(gpu.at("link").at("channels_up"), 3);
  }
}

TEST(Node, JsonToStandardOutputIsNothingElse) {
  NodePair pair;
  pair.where[1] = "1";
  pair.both.insert(pair.both.end(), {"--bytes", "64K"});
  pair.client_json_to = "-";
  const Outcomes outcomes = pair.run();
  EXPECT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
  expect_adds_up(json::parse(outcomes.client.out, nullptr, false));
  EXPECT_THAT(outcomes.client.err, HasSubstr("=== NODE PASSED: 1 / 1 GPUs ==="));
}

TEST(Node, ProgressIsALineWhereThereIsNoTerminal) {
  NodePair pair;
  pair.where[1] = "2";
  pair.both = {"--plugin", "builtin", "--timeout", "20", "--bytes", "1M", "--seconds", "2"};
  pair.client_only = {"--progress"};
  const Outcomes outcomes = pair.run();
  expect_node_passed(outcomes);
  EXPECT_TRUE(matches(outcomes.client.err,
                      R"(hawser: [0-9.]+ s: [0-9.]+ GB/s now \(by GPU: [0-9.]+ [0-9.]+\); )"
                      R"(channels [0-9]+ up, 0 down; GPUs: 2 moving\n)"))
      << outcomes.client.describe();
  EXPECT_THAT(outcomes.server.err, Not(HasSubstr("GB/s now"))) << "every five seconds only";
}

TEST(NodeUsage, WrongOptionsAreNamed) {
  NodePair pair;
  pair.env = {{"HAWSER_CUDA_LIBRARY", "/nonexistent/libcuda.so.1"}};
  const auto usage = [&](Words words, const std::string& pattern) {
    Command command = pair.server();
    command.args.resize(3);
    command.args.insert(command.args.end(), words.begin(), words.end());
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.describe();
    EXPECT_EQ(outcome.out, "") << outcome.describe();
    EXPECT_TRUE(matches(outcome.err, pattern)) << outcome.describe();
  };
  usage({"--no-such-option"}, "no-such-option");
  usage({"--gpus", "257"}, "gpus");
  usage({"--memory", "host"}, "gpus.*--gpus 8");
  usage({"--memory", "vram"}, "memory");
  usage({"--bytes", "0"}, "bytes");
  usage({"--iterations", "0"}, "iterations");
  usage({"--iterations", "5", "--seconds", "5"}, "seconds|iterations");
  usage({"--seconds", "-1"}, "seconds");
  usage({"--direction", "sideways"}, "direction");
  usage({"--channels", "65"}, "channels");
  usage({"--chunk-bytes", "1G"}, "chunk");
  usage({"--timeout", "0"}, "timeout");
  usage({"--timeout", "nan"}, "timeout");
  usage({"--port-base", "65530", "--gpus", "8"}, "port");
  usage({"--progress", "--no-progress"}, "progress");
  usage({"0.0.0.0", "surplus"}, "surplus");
}

TEST(NodeUsage, AClientNeedsAnAddress) {
  Command command = NodePair().server();
  command.args = {hawser_program(), "node", "client"};
  const Outcome outcome = run(command);
  EXPECT_EQ(outcome.exit_code, 2) << outcome.describe();
  EXPECT_THAT(outcome.err, HasSubstr("address"));
}

TEST(NodeUsage, WithoutGpusItSaysHowToDoWithout) {
  NodePair pair;
  pair.where = {"--gpus", "8"};
  pair.env = {{"HAWSER_CUDA_LIBRARY", "/nonexistent/libcuda.so.1"}};
  const Outcome outcome = run(pair.server());
  EXPECT_EQ(outcome.exit_code, 3) << outcome.describe();
  EXPECT_THAT(outcome.err, HasSubstr("/nonexistent/libcuda.so.1"));
  EXPECT_THAT(outcome.err, HasSubstr("--gpus 8 --memory host"));
}

TEST(NodeUsage, DevicesAndMapsThatAreNotThereAreNamed) {
  NodePair pair;
  pair.where = {"--gpus", "2", "--memory", "host", "--device", "eth99"};
  const Outcome device = run(pair.server());
  EXPECT_EQ(device.exit_code, 3) << device.describe();
  EXPECT_THAT(device.err, HasSubstr("eth99"));
  pair.where = {"--gpus", "2", "--memory", "host", "--gpu-nic-map", "0=eth98"};
  const Outcome map = run(pair.server());
  EXPECT_EQ(map.exit_code, 3) << map.describe();
  EXPECT_THAT(map.err, HasSubstr("eth98"));
}

TEST(NodePeers, ABusyPortIsNamedWithItsGpu) {
  const NodePair pair;
  const UniqueFd holder = listen_on_loopback(pair.ports.base() + 16);
  const Outcome outcome = run(pair.server());
  EXPECT_EQ(outcome.exit_code, 3) << outcome.describe();
  EXPECT_THAT(outcome.err, HasSubstr("GPU 2"));
  EXPECT_THAT(outcome.err, HasSubstr(std::to_string(pair.ports.base() + 16)));
}

TEST(NodePeers, NoServerIsSaidWithinTheTime) {
  NodePair pair;
  pair.both = {"--plugin", "builtin", "--timeout", "1"};
  const Outcome outcome = run(pair.client(), seconds(20));
  EXPECT_EQ(outcome.exit_code, 3) << outcome.describe();
  EXPECT_THAT(outcome.err, HasSubstr("error"));
  EXPECT_THAT(outcome.out, HasSubstr("=== NODE FAILED: 0 / 8 GPUs ==="));
  for (const json& gpu : pair.client_json().at("gpus")) EXPECT_EQ(gpu.at("met"), false);
}

TEST(NodePeers, NoClientIsSaidWithinTheTime) {
  NodePair pair;
  pair.both = {"--plugin", "builtin", "--timeout", "1"};
  const Outcome outcome = run(pair.server(), seconds(20));
  EXPECT_EQ(outcome.exit_code, 3) << outcome.describe();
  EXPECT_THAT(outcome.out, HasSubstr("Peer:      none"));
}

TEST(NodePeers, OtherNumbersOfGpusAreRefusedWithTheReason) {
  NodePair pair;
  pair.both = {"--plugin", "builtin", "--timeout", "6"};
  pair.client_only = {"--gpus", "4"};
  pair.server_only = {"--gpus", "8"};
  pair.where = {"--memory", "host", "--device", "lo"};
  const Outcomes outcomes = pair.run();
  EXPECT_EQ(outcomes.client.exit_code, 3) << outcomes.client.describe();
  EXPECT_THAT(outcomes.client.err, HasSubstr("the server has 8 GPUs, the client 4"));
  EXPECT_EQ(outcomes.server.exit_code, 3) << outcomes.server.describe();
  EXPECT_THAT(outcomes.server.err, HasSubstr("was refused: the server has 8 GPUs"));
}

TEST(NodePeers, AServerWaitsOnForItsClientAfterOneThatDidNotFit) {
  NodePair pair;
  pair.where = {"--memory", "host", "--device", "lo", "--bytes", "64K"};
  pair.server_only = {"--gpus", "2"};
  Subprocess server(pair.server());
  pair.client_only = {"--gpus", "1"};
  EXPECT_EQ(run(pair.client()).exit_code, 3);
  pair.client_only = {"--gpus", "2"};
  EXPECT_EQ(run(pair.client()).exit_code, 0);
  const Outcome outcome = server.wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.describe();
}

// A run that lasts, with both sides in the middle of it.
struct LongRun {
  LongRun() {
    pair.where[1] = "3";
    pair.both = {"--plugin", "builtin",   "--timeout", "10",        "--bytes",
                 "256K",     "--seconds", "300",       "--progress"};
    server = std::make_unique<Subprocess>(pair.server());
    client = std::make_unique<Subprocess>(pair.client());
    EXPECT_TRUE(client->wait_for_output("3 moving"));
    EXPECT_TRUE(server->wait_for_output("3 moving"));
  }
  NodePair pair;
  std::unique_ptr<Subprocess> server, client;
};

class NodeKilled : public testing::TestWithParam<bool> {};
TEST_P(NodeKilled, IsNoticedByTheOtherSideWithAReasonForEachGpu) {
  LongRun both;
  Subprocess& victim = GetParam() ? *both.server : *both.client;
  Subprocess& survivor = GetParam() ? *both.client : *both.server;
  ASSERT_TRUE(victim.send_signal(SIGKILL));
  const Outcome outcome = survivor.wait(seconds(25));
  EXPECT_FALSE(outcome.timed_out);
  EXPECT_EQ(outcome.exit_code, 1) << outcome.describe();
  EXPECT_THAT(outcome.out, HasSubstr("=== NODE FAILED: 0 / 3 GPUs ==="));
  for (const char* gpu : {"GPU 0: FAILED", "GPU 1: FAILED", "GPU 2: FAILED"})
    EXPECT_THAT(outcome.out, HasSubstr(gpu));
  EXPECT_THAT(outcome.err, Not(HasSubstr("left behind"))) << "its regions are free again";
  const json report = GetParam() ? both.pair.client_json() : both.pair.server_json();
  EXPECT_EQ(report.at("accounts").at("agree"), true) << report.at("accounts");
}
INSTANTIATE_TEST_SUITE_P(NodePeers, NodeKilled, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Server" : "Client"; });

class NodeInterrupted : public testing::TestWithParam<bool> {};
TEST_P(NodeInterrupted, EndsInGoodOrderOnBothSides) {
  LongRun both;
  Subprocess& stopped = GetParam() ? *both.server : *both.client;
  ASSERT_TRUE(stopped.send_signal(SIGINT));
  for (Subprocess* side : {both.server.get(), both.client.get()}) {
    const Outcome outcome = side->wait(seconds(25));
    EXPECT_EQ(outcome.exit_code, 1) << outcome.describe();
    EXPECT_THAT(outcome.out, HasSubstr("=== NODE INTERRUPTED: 3 / 3 GPUs ==="));
    EXPECT_THAT(outcome.out, HasSubstr("\nAccounts agree: "));
  }
  expect_adds_up(both.pair.server_json());
  expect_adds_up(both.pair.client_json());
  EXPECT_EQ(moved(both.pair.server_json(), "received"), moved(both.pair.client_json(), "sent"));
}
INSTANTIATE_TEST_SUITE_P(NodePeers, NodeInterrupted, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Server" : "Client"; });

TEST(NodePeers, InterruptedWhileItWaits) {
  for (const bool serves : {true, false}) {
    NodePair pair;
    pair.both = {"--plugin", "builtin", "--timeout", "60", "--progress"};
    Subprocess waiting(serves ? pair.server() : pair.client());
    ASSERT_TRUE(waiting.wait_for_output("8 meeting"));
    ASSERT_TRUE(waiting.send_signal(SIGINT));
    const Outcome outcome = waiting.wait(seconds(15));
    EXPECT_EQ(outcome.exit_code, 3) << outcome.describe();
    EXPECT_FALSE(outcome.timed_out);
    EXPECT_THAT(outcome.out, HasSubstr("INTERRUPTED"));
  }
}

TEST(NodeMemory, SimulatedGpus) {
  NodePair pair;
  pair.where = {"--device", "lo", "--bytes", "1M", "--iterations", "4", "--direction", "both"};
  pair.env = {{"HAWSER_CUDA_LIBRARY", simulated_cuda()}, {"HAWSER_CUDASIM_GPUS", "4"}};
  const Outcomes outcomes = pair.run();
  expect_node_passed(outcomes);
  EXPECT_THAT(outcomes.server.out, HasSubstr("4 GPUs (Simulated GPU (host memory, no CUDA))"));
  EXPECT_THAT(outcomes.server.out, HasSubstr("GPU memory"));
  const json report = pair.server_json();
  expect_adds_up(report);
  EXPECT_EQ(report.at("played"), false);
  EXPECT_EQ(report.at("gpus").size(), 4u);
}

TEST(NodeMemory, GpusOnOneSideAndPlayedDevicesOnTheOther) {
  NodePair pair;
  pair.where = {"--gpus", "2", "--device", "lo", "--bytes", "1M"};
  pair.env = {{"HAWSER_CUDA_LIBRARY", simulated_cuda()}, {"HAWSER_CUDASIM_GPUS", "2"}};
  pair.client_only = {"--memory", "host"};
  const Outcomes outcomes = pair.run();
  expect_node_passed(outcomes);
  EXPECT_THAT(outcomes.server.out, HasSubstr("2 devices, host memory"));
  EXPECT_THAT(outcomes.client.out, HasSubstr("2 devices, GPU memory"));
}

// A plugin with TCPX's rules: aligned memory, requests of one size, receives that are unpacked.
TEST(NodeMemory, EmulatedTcpx) {
  NodePair pair;
  pair.both = {"--plugin", emulator_plugin(), "--timeout", "20", "--no-progress"};
  pair.where = {"--gpus", "2", "--memory", "host", "--device", "lo", "--bytes", "1000001"};
  expect_node_passed(pair.run());
  expect_adds_up(pair.server_json());
  pair.where = {"--device", "lo", "--bytes", "1M", "--direction", "both"};
  pair.env = {{"HAWSER_CUDA_LIBRARY", simulated_cuda()}, {"HAWSER_CUDASIM_GPUS", "2"}};
  const Outcomes outcomes = pair.run();
  expect_node_passed(outcomes);
  expect_adds_up(pair.client_json());
  EXPECT_THAT(outcomes.client.out, HasSubstr("GPUDirectTCPX_emulated_v7"));
}

TEST(NodeMemory, MoreGpusThanThereAre) {
  NodePair pair;
  pair.where = {"--gpus", "5"};
  pair.env = {{"HAWSER_CUDA_LIBRARY", simulated_cuda()}, {"HAWSER_CUDASIM_GPUS", "4"}};
  const Outcome outcome = run(pair.server());
  EXPECT_EQ(outcome.exit_code, 2) << outcome.describe();
  EXPECT_THAT(outcome.err, HasSubstr("there are only 4"));
}

// Where a GPU is: all of them, both ways.
TEST(NodeMemory, RealGpus) {
  NodePair pair;
  const Outcome devices = run({.args = {hawser_program(), "devices", "--plugin", "builtin"},
                               .env = pair.server().env,
                               .cwd = {},
                               .netns = {}});
  if (devices.out.find("GPUs:\n") == std::string::npos)
    GTEST_SKIP() << "no usable GPU on this machine";
  pair.where = {"--memory", "cuda", "--device", "lo", "--direction", "both"};
  expect_node_passed(pair.run());
  expect_adds_up(pair.server_json());
}

}  // namespace
}  // namespace hawser::test
