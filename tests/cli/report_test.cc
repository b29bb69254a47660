// The report of runs that pass: line by line what the page says.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "cli/page.h"
#include "cli/validation_pair.h"

namespace hawser::test {
namespace {

// Both sides passed, and printed the page of `numbers`, and nothing else.
void expect_pages(const Outcomes& outcomes, PageNumbers numbers) {
  ASSERT_EQ(outcomes.server.exit_code, 0)
      << outcomes.server.describe() << outcomes.client.describe();
  ASSERT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
  for (const auto& [role, outcome] :
       {std::pair("server", &outcomes.server), std::pair("client", &outcomes.client)}) {
    numbers.role = role;
    read_machine(outcome->out, numbers);
    EXPECT_EQ(outcome->out, page_passed(numbers));
  }
}

// The template, filled with the numbers of the page it was made from, is that page.
TEST(Report, TemplateIsThePage) {
  PageNumbers numbers;
  numbers.name = "eth1";
  numbers.devices = "4";
  numbers.speed = "200000";
  numbers.channels = 2;
  numbers.devmem = "RESOLVED";
  EXPECT_EQ(
      page_passed(numbers),
      "=== Devmem Validation Test ===\nRole: server\nGPU: 0\nDev: 0 (eth1)\nChannels: 2 (all on "
      "same NIC)\n"
      "==============================\n\nTCPX devices: 4\nDevice 0: eth1 (speed=200000 Mbps)\n\n"
      "[GPU 0 CH 0] Starting server on dev 0\n[GPU 0 CH 1] Starting server on dev 0\n"
      "[GPU 0 CH 0] Channel created successfully (server)\n"
      "[GPU 0 CH 1] Channel created successfully (server)\n"
      "[GPU 0 CH 0] Recv OK (16777216 bytes)\n[GPU 0 CH 1] Recv OK (16777216 bytes)\n"
      "[GPU 0 CH 0] Test PASSED\n[GPU 0 CH 1] Test PASSED\n\n"
      "=== TEST RESULTS ===\nSuccess: 2 / 2\nFailed:  0 / 2\n\n=== ALL CHANNELS PASSED ===\n"
      "Result: Single-process CAN use multiple channels on same NIC\nDevmem conflicts: RESOLVED\n"
      "Proceed to Step 3: Full refactor\n");
}

TEST(Report, FourChannelsOverLoopback) {
  expect_pages(ValidationPair().run(), PageNumbers());
}

TEST(Report, NothingButTheReportOnStandardOutputWhenVerbose) {
  ValidationPair pair;
  pair.with("--verbose");
  const Outcomes outcomes = pair.run();
  expect_pages(outcomes, PageNumbers());
  EXPECT_NE(outcomes.server.err, "");
  EXPECT_NE(outcomes.client.err, "");
}

class ReportOfChannels : public testing::TestWithParam<int> {};
TEST_P(ReportOfChannels, AllPass) {
  ValidationPair pair;
  pair.with("--channels", std::to_string(GetParam())).with("--bytes", "1048576");
  PageNumbers numbers;
  numbers.channels = GetParam();
  numbers.bytes = 1048576;
  expect_pages(pair.run(), numbers);
}
INSTANTIATE_TEST_SUITE_P(Report, ReportOfChannels, testing::Values(2, 8, 16));

TEST(Report, OneChannelClaimsNothingAboutSeveral) {
  ValidationPair pair;
  pair.with("--channels", "1").with("--bytes", "4096");
  const Outcomes outcomes = pair.run();
  EXPECT_EQ(outcomes.server.exit_code, 0) << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
  EXPECT_NE(outcomes.server.out.find("Result: Single-process CAN use 1 channel on this NIC"),
            std::string::npos)
      << outcomes.server.out;
}

class ReportOfBytes : public testing::TestWithParam<long long> {};
TEST_P(ReportOfBytes, AllPass) {
  ValidationPair pair;
  pair.with("--bytes", std::to_string(GetParam()));
  PageNumbers numbers;
  numbers.bytes = GetParam();
  expect_pages(pair.run(), numbers);
}
INSTANTIATE_TEST_SUITE_P(Report, ReportOfBytes,
                         testing::Values(1, 7, 4095, 524289, 1048577, 33554431));

TEST(Report, IterationsAndChunks) {
  ValidationPair pair;
  pair.with("--bytes", "1000001").with("--iterations", "5").with("--chunk-bytes", "4096");
  PageNumbers numbers;
  numbers.bytes = 1000001;
  expect_pages(pair.run(), numbers);
}

TEST(Report, Ipv6) {
  if (!ipv6_is_there()) GTEST_SKIP() << "no IPv6 loopback on this machine";
  ValidationPair pair;
  pair.server_address = pair.client_address = "::1";
  pair.env.emplace_back("HAWSER_SOCKET_FAMILY", "ipv6");
  expect_pages(pair.run(), PageNumbers());
}

TEST(Report, HostName) {
  if (!localhost_is_known()) GTEST_SKIP() << "this machine does not know the name localhost";
  ValidationPair pair;
  pair.client_address = "localhost";
  expect_pages(pair.run(), PageNumbers());
}

TEST(Report, DeviceByIndexIsTheDeviceByName) {
  ValidationPair by_name;
  PageNumbers numbers;
  read_machine(by_name.run().server.out, numbers);
  ValidationPair by_index;
  by_index.dev = numbers.dev;
  expect_pages(by_index.run(), numbers);
}

TEST(Report, OtherGpuNumberMovesThePorts) {
  ValidationPair pair;
  pair.gpu = 2;
  PageNumbers numbers;
  numbers.gpu = 2;
  expect_pages(pair.run(), numbers);
}

TEST(Report, ClientMayStartFirst) {
  const ValidationPair pair;
  Subprocess client(pair.client().arg("--verbose"));
  ASSERT_TRUE(client.wait_for_output("no answer from .* yet"));
  Subprocess server(pair.server());
  Outcomes outcomes;
  outcomes.client = client.wait();
  outcomes.server = server.wait();
  expect_pages(outcomes, PageNumbers());
}

TEST(Report, ClientTakesTheServersChannels) {
  ValidationPair pair;
  pair.server_only = {"--channels", "8", "--bytes", "65536"};
  PageNumbers numbers;
  numbers.channels = 8;
  numbers.bytes = 65536;
  expect_pages(pair.run(), numbers);
}

TEST(Report, SerializedCreationSaysSo) {
  ValidationPair pair;
  pair.server_only = {"--serialize-create"};
  const Outcomes outcomes = pair.run();
  for (const Outcome* outcome : {&outcomes.server, &outcomes.client}) {
    EXPECT_EQ(outcome->exit_code, 0) << outcome->describe();
    EXPECT_NE(outcome->out.find("Success: 4 / 4\n"), std::string::npos) << outcome->out;
    EXPECT_NE(outcome->out.find("on same NIC (created one at a time)\n"), std::string::npos)
        << outcome->out;
  }
}

// `hawser validate` is the same engine.
TEST(Report, HawserValidatePrintsTheSame) {
  const ValidationPair pair;
  const auto command = [&](const char* role) {
    Command side{.args = {hawser_program(), "validate", role, "--address", "127.0.0.1", "--gpu",
                          "0", "--dev", "lo"},
                 .env = pair.server().env,
                 .cwd = {},
                 .netns = {}};
    side.args.insert(side.args.end(), pair.both.begin(), pair.both.end());
    return side;
  };
  Subprocess server(command("server")), client(command("client"));
  Outcomes outcomes;
  outcomes.client = client.wait();
  outcomes.server = server.wait();
  expect_pages(outcomes, PageNumbers());
}

TEST(Report, PeerGpuMayDiffer) {
  const ValidationPair pair;
  Command server = pair.server();
  server.args[3] = "1";
  Subprocess serving(server);
  const Outcome client = run(pair.client().arg("--peer-gpu").arg("1"));
  EXPECT_EQ(client.exit_code, 0) << client.describe();
  EXPECT_NE(client.out.find("GPU: 0\n"), std::string::npos);
  EXPECT_EQ(serving.wait().exit_code, 0);
}

}  // namespace
}  // namespace hawser::test
