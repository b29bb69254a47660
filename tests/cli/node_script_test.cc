// run_p2p_singleproc.sh and make, as a user types them. They build into the source tree's
// build/release, so these tests run only where the tests themselves are of that build.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "cli/node_pair.h"
#include "support/built.h"

namespace hawser::test {
namespace {

using ::testing::HasSubstr;

const std::string kTree = HAWSER_TEST_SOURCE_DIR;
const std::string kNodeScript = kTree + "/run_p2p_singleproc.sh";

Command node_script(Words words, int port_base) {
  words.insert(words.begin(), kNodeScript);
  Command command{.args = words, .env = NodePair().server().env, .cwd = "/", .netns = {}};
  command.with_env("HAWSER_PORT_BASE", std::to_string(port_base));
  return command;
}

class NodeScript : public testing::Test {
 protected:
  void SetUp() override {
    const std::string release = kTree + "/build/release";
    if (!std::filesystem::exists(release) || !std::filesystem::equivalent(built(""), release))
      GTEST_SKIP() << "the script builds and runs the release build, not this one";
  }
  PortRange ports_;
};

TEST_F(NodeScript, WithoutArgumentsRunsBothSidesAndShowsServerThenClient) {
  const Outcome outcome = run(node_script({}, ports_.base()));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.describe();
  const auto server = outcome.out.find("=== hawser node: server ===");
  const auto client = outcome.out.find("\n\n=== hawser node: client ===");
  EXPECT_EQ(server, 0u) << outcome.describe();
  EXPECT_NE(client, std::string::npos) << outcome.describe();
  EXPECT_THAT(outcome.out.substr(0, client), HasSubstr("=== NODE PASSED: 8 / 8 GPUs ==="));
  EXPECT_THAT(outcome.out.substr(client), HasSubstr("=== NODE PASSED: 8 / 8 GPUs ==="));
  EXPECT_THAT(outcome.out, HasSubstr("8 played devices in host memory"));
}

TEST_F(NodeScript, ServerAndClientWithOptions) {
  Subprocess server(node_script({"server", "127.0.0.1", "--gpus", "2", "--memory", "host",
                                 "--plugin", "builtin", "--device", "lo", "--bytes", "1M"},
                                ports_.base()));
  Subprocess client(node_script({"client", "127.0.0.1", "--gpus", "2", "--memory", "host",
                                 "--plugin", "builtin", "--device", "lo"},
                                ports_.base()));
  EXPECT_EQ(client.wait().exit_code, 0);
  const Outcome outcome = server.wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.describe();
  EXPECT_THAT(outcome.out, HasSubstr("1048576 bytes per GPU"));
}

TEST_F(NodeScript, FailureOfTheRunIsItsStatus) {
  const UniqueFd holder = listen_on_loopback(ports_.base());
  const Outcome outcome = run(node_script({"--timeout", "1"}, ports_.base()));
  EXPECT_EQ(outcome.exit_code, 3) << outcome.describe();
}

class NodeScriptUsage : public testing::TestWithParam<std::pair<Words, std::string>> {};
TEST_P(NodeScriptUsage, WrongWordsGiveTheUsageText) {
  const Outcome outcome = run(node_script(GetParam().first, 1));
  EXPECT_EQ(outcome.exit_code, 2) << outcome.describe();
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr(GetParam().second));
  EXPECT_THAT(outcome.err, HasSubstr("usage: run_p2p_singleproc.sh"));
}
INSTANTIATE_TEST_SUITE_P(NodeScript, NodeScriptUsage,
                         testing::Values(std::pair(Words{"srever"}, "srever"),
                                         std::pair(Words{"client"}, "address"),
                                         std::pair(Words{"client", "--gpus", "4"}, "address"),
                                         std::pair(Words{"server", "0.0.0.0", "0"}, "'0'")));

TEST(NodeScriptHelp, IsOnStandardOutput) {
  const Outcome outcome = run(node_script({"--help"}, 1));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("client SERVER_IP"));
}

}  // namespace
}  // namespace hawser::test
