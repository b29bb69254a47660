#include "cli/node_pair.h"

#include <gtest/gtest.h>

namespace hawser::test {
namespace {

using nlohmann::json;

json read_json(const std::string& path) {
  const json report = json::parse(read_file(path), nullptr, false);
  EXPECT_FALSE(report.is_discarded()) << path;
  return report;
}

void append(Words& words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
}

struct Sums {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  void add(const json& account) {
    sent += account.at("bytes_sent").get<std::uint64_t>();
    received += account.at("bytes_received").get<std::uint64_t>();
  }
};

void expect_sums(const Sums& sums, const json& account, const std::string& what) {
  EXPECT_EQ(sums.sent, account.at("bytes_sent").get<std::uint64_t>()) << what;
  EXPECT_EQ(sums.received, account.at("bytes_received").get<std::uint64_t>()) << what;
}

}  // namespace

Command NodePair::side(const std::string& role, const std::string& address) const {
  const bool serves = role == "server";
  const std::string json_to = serves                  ? dir.file("server.json")
                              : client_json_to == "-" ? "-"
                                                      : dir.file(client_json_to);
  Command command{.args = {hawser_program(), "node", role, address, "--port-base",
                           std::to_string(ports.base()), "--json", json_to},
                  .env = ValidationPair().server().env,
                  .cwd = {},
                  .netns = serves ? server_netns : client_netns};
  append(command.args, both);
  append(command.args, where);
  append(command.args, serves ? server_only : client_only);
  for (const auto& [name, value] : env) command.with_env(name, value);
  return command;
}

Outcomes NodePair::run(std::chrono::milliseconds patience) const {
  Subprocess serving(server()), calling(client());
  Outcomes outcomes;
  outcomes.client = calling.wait(patience);
  outcomes.server = serving.wait(patience);
  return outcomes;
}

json NodePair::server_json() const {
  return read_json(dir.file("server.json"));
}
json NodePair::client_json() const {
  return read_json(dir.file("client.json"));
}

void expect_node_passed(const Outcomes& outcomes) {
  for (const Outcome* outcome : {&outcomes.server, &outcomes.client}) {
    EXPECT_EQ(outcome->exit_code, 0) << outcome->describe();
    EXPECT_NE(outcome->out.find("\nAccounts agree: "), std::string::npos) << outcome->describe();
    EXPECT_NE(outcome->out.find("\n=== NODE PASSED: "), std::string::npos) << outcome->describe();
  }
}

void expect_adds_up(const json& report) {
  Sums channels, gpus, nics;
  for (const json& gpu : report.at("gpus")) {
    gpus.add(gpu.at("link"));
    for (const json& channel : gpu.at("link").at("channel_list")) channels.add(channel);
  }
  for (const json& nic : report.at("nics")) nics.add(nic);
  const json& accounts = report.at("accounts");
  EXPECT_EQ(accounts.at("agree"), true) << accounts;
  expect_sums(channels, accounts.at("program"), "channels");
  expect_sums(gpus, accounts.at("program"), "GPUs");
  expect_sums(nics, accounts.at("program"), "NICs");
  expect_sums(channels, report.at("total"), "total");
}

}  // namespace hawser::test
