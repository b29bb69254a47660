// Server and client of `hawser node`, as real programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/validation_pair.h"
#include "support/temp_dir.h"

namespace hawser::test {

// How both sides are started; a test changes what it is about. Not thread-safe.
struct NodePair {
  Command server() const { return side("server", server_address); }
  Command client() const { return side("client", client_address); }
  // Starts both, and waits for both.
  Outcomes run(std::chrono::milliseconds patience = Subprocess::kPatience) const;

  // What --json wrote.
  nlohmann::json server_json() const;
  nlohmann::json client_json() const;

  PortRange ports;
  TempDir dir;
  std::string server_address = "127.0.0.1";
  std::string client_address = "127.0.0.1";
  std::string server_netns, client_netns;
  Words both{"--plugin", "builtin", "--timeout", "20", "--no-progress"};
  Words where{"--gpus", "8", "--memory", "host", "--device", "lo"};
  Words server_only, client_only;
  Environment env;
  std::string client_json_to = "client.json";  // in `dir`; "-": standard output

 private:
  Command side(const std::string& role, const std::string& address) const;
};

// Exit status 0 on both sides, and what a report has that passed.
void expect_node_passed(const Outcomes& outcomes);
// The report's own sums, made again here: over channels, NICs, GPUs, and of the program.
void expect_adds_up(const nlohmann::json& report);

}  // namespace hawser::test
