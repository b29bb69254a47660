// run_devmem_validation.sh and make, as a user types them. They build into the source tree's
// build/release, so these tests run only where the tests themselves are of that build.
#include <gtest/gtest.h>

#include <filesystem>

#include "cli/page.h"
#include "cli/validation_pair.h"
#include "support/built.h"
#include "support/temp_dir.h"

namespace hawser::test {
namespace {

const std::string kRoot = HAWSER_TEST_SOURCE_DIR;
const std::string kScript = kRoot + "/run_devmem_validation.sh";

Command script(Words words) {
  words.insert(words.begin(), kScript);
  return {.args = words, .env = ValidationPair().server().env, .cwd = "/", .netns = {}};
}

bool is_release_build() {
  return std::filesystem::equivalent(built(""), kRoot + "/build/release");
}

class RunScript : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kRoot + "/build/release") || !is_release_build())
      GTEST_SKIP() << "the script builds and runs the release build, not this one";
  }
};

TEST_F(RunScript, WithoutArgumentsRunsBothSidesAndShowsServerThenClient) {
  const PortRange ports;
  Command command = script({});
  command.with_env("HAWSER_PORT_BASE", std::to_string(ports.base()));
  const Outcome outcome = run(command);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.describe();
  PageNumbers numbers;
  const std::string server =
      outcome.out.substr(0, outcome.out.find("\n\n=== Devmem Validation Test") + 1);
  read_machine(server, numbers);
  std::string expected = page_passed(numbers);
  numbers.role = "client";
  EXPECT_EQ(outcome.out, expected + "\n" + page_passed(numbers));
}

TEST_F(RunScript, FailureOfTheRunIsItsStatus) {
  const PortRange ports;
  const UniqueFd holder = listen_on_loopback(ports.base());
  Command command = script({"--timeout", "1"});
  command.with_env("HAWSER_PORT_BASE", std::to_string(ports.base()));
  const Outcome outcome = run(command);
  EXPECT_EQ(outcome.exit_code, 3) << outcome.describe();
}

TEST_F(RunScript, ServerAndClientThroughALinkInAPathWithSpaces) {
  const TempDir dir;
  std::filesystem::create_directory(dir.file("a b"));
  const std::string link = dir.file("a b/validate it");
  std::filesystem::create_symlink(kScript, link);
  const PortRange ports;
  Command server =
      script({"server", "127.0.0.1", "0", "lo", "--plugin", "builtin", "--channels", "2"});
  server.args[0] = link;
  server.with_env("HAWSER_PORT_BASE", std::to_string(ports.base())).cwd = dir.file("a b");
  Command client = script({"client", "127.0.0.1", "0", "lo", "--plugin", "builtin"});
  client.with_env("HAWSER_PORT_BASE", std::to_string(ports.base()));
  Subprocess serving(server), calling(client);
  EXPECT_EQ(calling.wait().exit_code, 0);
  const Outcome outcome = serving.wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.describe();
  EXPECT_NE(outcome.out.find("Success: 2 / 2\n"), std::string::npos);
}

TEST_F(RunScript, SeedsDefaultsAreAnyAddressGpuZeroDeviceZero) {
  const PortRange ports;
  Command server = script({"server", "--plugin", "builtin", "--timeout", "0.3"});
  server.with_env("HAWSER_PORT_BASE", std::to_string(ports.base()));
  const Outcome outcome = run(server);
  EXPECT_EQ(outcome.exit_code, 3) << outcome.describe();
  EXPECT_NE(outcome.out.find("GPU: 0\nDev: 0 ("), std::string::npos) << outcome.describe();
}

TEST_F(RunScript, MakeBuildsThePagesProgram) {
  const Outcome outcome = run({.args = {"make", "-C", kRoot, "test_devmem_validation"},
                               .env = {{"MAKEFLAGS", ""}, {"MAKELEVEL", ""}},
                               .cwd = {},
                               .netns = {}},
                              std::chrono::seconds(250));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.describe();
  const Outcome help = run({.args = {kRoot + "/tests/test_devmem_validation", "--help"},
                            .env = {},
                            .cwd = "/",
                            .netns = {}});
  EXPECT_EQ(help.exit_code, 0) << help.describe();
}

class RunScriptUsage : public testing::TestWithParam<std::pair<Words, std::string>> {};
TEST_P(RunScriptUsage, WrongWordsGiveTheUsageText) {
  const Outcome outcome = run(script(GetParam().first));
  EXPECT_EQ(outcome.exit_code, 2) << outcome.describe();
  EXPECT_EQ(outcome.out, "");
  EXPECT_TRUE(matches(outcome.err, GetParam().second)) << outcome.describe();
  EXPECT_TRUE(matches(outcome.err, "usage: run_devmem_validation\\.sh")) << outcome.describe();
}
INSTANTIATE_TEST_SUITE_P(
    RunScript, RunScriptUsage,
    testing::Values(std::pair(Words{"srever"}, "srever"), std::pair(Words{"client"}, "address"),
                    std::pair(Words{"client", "--channels", "4"}, "address"),
                    std::pair(Words{"server", "0.0.0.0", "0", "0", "more"}, "more")));

TEST(RunScriptHelp, IsOnStandardOutput) {
  const Outcome outcome = run(script({"--help"}));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(matches(outcome.out, "server \\[BIND_IP \\[GPU \\[DEV\\]\\]\\]"));
}

}  // namespace
}  // namespace hawser::test
