// Server and client of a validation, as real programs.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/ports.h"
#include "support/subprocess.h"

namespace hawser::test {

// Where the programs and plugins of this build are.
std::string hawser_program();
std::string validation_program();
std::string holding_program();
std::string emulator_plugin();
std::string simulated_cuda();

using Words = std::vector<std::string>;
using Environment = std::vector<std::pair<std::string, std::string>>;

struct Outcomes {
  Outcome server;
  Outcome client;
};

// How both sides are started; a test changes what it is about. Not thread-safe.
struct ValidationPair {
  ValidationPair();

  Command server() const;
  Command client() const;

  // Starts the server, then the client, and waits for both.
  Outcomes run(std::chrono::milliseconds patience = Subprocess::kPatience) const;

  // Gives both sides an option, instead of the value it had; an empty value: a flag.
  ValidationPair& with(const std::string& name, const std::string& value = "");

  // Both sides use the emulator, with these fault rules (none: it works).
  ValidationPair& emulated(const std::string& faults = "");
  // Both sides find the simulated GPUs, and use their memory.
  ValidationPair& simulated_gpu();

  PortRange ports;
  std::string server_address = "127.0.0.1";  // where it listens
  std::string client_address = "127.0.0.1";  // where the client looks for it
  int gpu = 0;
  std::string dev = "lo";
  std::string server_netns, client_netns;
  std::string server_holds_at, client_holds_at;  // a step of docs/wire-protocol.md; empty: goes on
  Words both, server_only, client_only;          // options
  Environment env, server_env, client_env;

 private:
  Command side(const std::string& role, const std::string& address) const;
};

// stdout has no report at all, stderr matches, and the exit status is 3 ("could not run").
void expect_could_not_run(const Outcome& outcome, const std::string& reason_pattern);
bool matches(const std::string& text, const std::string& pattern);

}  // namespace hawser::test
