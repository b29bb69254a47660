// The outcome for programs: parses, and says what the report says.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/validation_pair.h"
#include "support/temp_dir.h"

namespace hawser::test {
namespace {

using nlohmann::json;

json parsed(const std::string& text) {
  const json value = json::parse(text, nullptr, false);
  EXPECT_FALSE(value.is_discarded()) << text;
  return value;
}

TEST(JsonOutput, AgreesWithTheReportOfARunThatPasses) {
  const TempDir dir;
  ValidationPair pair;
  pair.server_only = {"--json", dir.file("outcome.json")};
  const Outcomes outcomes = pair.run();
  ASSERT_EQ(outcomes.server.exit_code, 0) << outcomes.server.describe();
  const json outcome = parsed(read_file(dir.file("outcome.json")));
  EXPECT_EQ(outcome.at("role"), "server");
  EXPECT_EQ(outcome.at("passed"), true);
  EXPECT_EQ(outcome.at("channels"), 4);
  EXPECT_EQ(outcome.at("bytes_per_channel"), 16777216);
  EXPECT_EQ(outcome.at("memory"), "host");
  EXPECT_EQ(outcome.at("device").at("name"), "lo");
  EXPECT_EQ(outcome.at("pass").at("channels").size(), 4u);
  EXPECT_NE(outcomes.server.out.find("Devmem conflicts: " +
                                     outcome.at("devmem_conflicts").get<std::string>()),
            std::string::npos);
}

TEST(JsonOutput, DashMeansStandardOutputAndTheReportMovesAside) {
  ValidationPair pair;
  pair.client_only = {"--json", "-"};
  const Outcomes outcomes = pair.run();
  ASSERT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
  EXPECT_EQ(parsed(outcomes.client.out).at("role"), "client");
  EXPECT_NE(outcomes.client.err.find("=== ALL CHANNELS PASSED ==="), std::string::npos);
}

TEST(JsonOutput, NamesTheFailureOfAChannel) {
  ValidationPair pair;
  pair.emulated("server:regMr@1=fail:3").with("--bytes", "65536").with("--timeout", "4");
  pair.server_only = {"--json", "-"};
  const Outcomes outcomes = pair.run();
  EXPECT_EQ(outcomes.server.exit_code, 1) << outcomes.server.describe();
  const json outcome = parsed(outcomes.server.out);
  EXPECT_EQ(outcome.at("passed"), false);
  EXPECT_EQ(outcome.at("pass").at("channels_passed"), 3);
  int failures = 0;
  for (const auto& channel : outcome.at("pass").at("channels")) {
    if (!channel.contains("failure")) continue;
    ++failures;
    EXPECT_EQ(channel.at("failure").at("operation"), "tcpx_reg_mr");
    EXPECT_EQ(channel.at("failure").at("kind"), "plugin");
  }
  EXPECT_EQ(failures, 1);
  EXPECT_EQ(outcome.at("serialized_retry").at("passed"), false);
}

TEST(JsonOutput, FullDiskIsNoSuccess) {
  ValidationPair pair;
  pair.server_only = {"--json", "/dev/full"};
  const Outcomes outcomes = pair.run();
  EXPECT_EQ(outcomes.server.exit_code, 3) << outcomes.server.describe();
  EXPECT_TRUE(matches(outcomes.server.err, "/dev/full.*[Nn]o space")) << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
}

TEST(JsonOutput, FolderThatIsNotThereIsNamed) {
  ValidationPair pair;
  pair.server_only = {"--json", "/nonexistent/outcome.json"};
  const Outcomes outcomes = pair.run();
  EXPECT_EQ(outcomes.server.exit_code, 3);
  EXPECT_TRUE(matches(outcomes.server.err, "/nonexistent/outcome.json"))
      << outcomes.server.describe();
}

Outcome devices(const std::vector<std::string>& more) {
  Command command{.args = {hawser_program(), "devices", "--plugin", "builtin"},
                  .env = ValidationPair().simulated_gpu().server().env,
                  .cwd = {},
                  .netns = {}};
  for (const std::string& word : more) command.arg(word);
  return run(std::move(command));
}

TEST(JsonOutput, DevicesParse) {
  const Outcome outcome = devices({"--json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.describe();
  const json found = parsed(outcome.out);
  bool loopback = false;
  for (const auto& device : found.at("devices")) loopback = loopback || device.at("name") == "lo";
  EXPECT_TRUE(loopback) << outcome.out;
  const json& map = found.at("gpu_nic_map");
  ASSERT_EQ(map.size(), found.at("gpus").size()) << outcome.out;
  EXPECT_FALSE(map.at(0).at("nics").empty());
  EXPECT_FALSE(map.at(0).at("reason").get<std::string>().empty());
}

TEST(DevicesMap, FollowsTheUser) {
  const json found = parsed(devices({"--json"}).out);
  const std::string nic = found.at("gpu_nic_map").at(0).at("nics").at(0);
  const Outcome asked = devices({"--gpu-nic-map", "0=" + nic});
  EXPECT_EQ(asked.exit_code, 0) << asked.describe();
  EXPECT_TRUE(matches(asked.out, "GPU 0 +" + nic + " +as asked for")) << asked.out;
}

TEST(DevicesMap, WrongOneIsNamed) {
  const Outcome wrong = devices({"--gpu-nic-map", "0=nowhere0"});
  EXPECT_EQ(wrong.exit_code, 3) << wrong.describe();
  EXPECT_TRUE(matches(wrong.err, "there is no NIC .nowhere0.")) << wrong.describe();
}

}  // namespace
}  // namespace hawser::test
