#include "cli/validation_pair.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "support/built.h"

namespace hawser::test {
namespace {

// The environment of whoever runs the tests must not choose the transport or the ports.
const Environment kCleanEnvironment = {
    {"HAWSER_PORT_BASE", ""},
    {"HAWSER_LOG_LEVEL", ""},
    {"HAWSER_SOCKET_IFNAME", ""},
    {"HAWSER_SOCKET_FAMILY", ""},
    {"HAWSER_CUDA_LIBRARY", ""},
    {"NCCL_NET_PLUGIN", ""},
    {"NCCL_NET", ""},
    {"HAWSER_EMU_FAULTS", ""},
    {"NCCL_GPUDIRECTTCPX_PLUGIN_PATH", ""},
    {"NCCL_DYNAMIC_CHUNK_SIZE", ""},
    {"NCCL_NSOCKS_PERTHREAD", ""},
    {"NCCL_SOCKET_NTHREADS", ""},
    {"NCCL_GPUDIRECTTCPX_TX_BINDINGS", ""},
    {"NCCL_GPUDIRECTTCPX_RX_BINDINGS", ""},
};

void add(Words& words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
}
void add(Environment& env, const Environment& more) {
  env.insert(env.end(), more.begin(), more.end());
}

// Later entries win; each name stands once.
Environment merged(const Environment& entries) {
  Environment result;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    bool known = false;
    for (const auto& have : result) known = known || have.first == entry->first;
    if (!known) result.push_back(*entry);
  }
  return result;
}

}  // namespace

std::string hawser_program() {
  return built("tools/hawser/hawser");
}
std::string validation_program() {
  return built("tests/test_devmem_validation");
}
std::string holding_program() {
  return built("tests/holding_validation");
}
std::string emulator_plugin() {
  return built("tests/emu/libnccl-net-tcpx-emu.so");
}
std::string simulated_cuda() {
  return built("tests/cudasim/libcuda-sim.so");
}

ValidationPair::ValidationPair()
    : both{"--plugin",  "builtin", "--memory",    "host",
           "--timeout", "20",      "--port-base", std::to_string(ports.base())},
      env(kCleanEnvironment) {}

Command ValidationPair::side(const std::string& role, const std::string& address) const {
  const bool serves = role == "server";
  const std::string& step = serves ? server_holds_at : client_holds_at;
  const std::string program = step.empty() ? validation_program() : holding_program();
  Command command{.args = {program, role, address, std::to_string(gpu), dev},
                  .env = {},
                  .cwd = {},
                  .netns = serves ? server_netns : client_netns};
  add(command.args, both);
  add(command.args, serves ? server_only : client_only);
  Environment environment = env;
  add(environment, serves ? server_env : client_env);
  environment.emplace_back("HAWSER_HOLD_AT", step);
  command.env = merged(environment);
  return command;
}

Command ValidationPair::server() const {
  return side("server", server_address);
}
Command ValidationPair::client() const {
  return side("client", client_address);
}

Outcomes ValidationPair::run(std::chrono::milliseconds patience) const {
  Subprocess serving(server()), calling(client());
  Outcomes outcomes;
  outcomes.client = calling.wait(patience);
  outcomes.server = serving.wait(patience);
  return outcomes;
}

ValidationPair& ValidationPair::with(const std::string& name, const std::string& value) {
  if (const auto at = std::find(both.begin(), both.end(), name); at != both.end()) {
    at[1] = value;
    return *this;
  }
  both.push_back(name);
  if (!value.empty()) both.push_back(value);
  return *this;
}

ValidationPair& ValidationPair::emulated(const std::string& faults) {
  with("--plugin", emulator_plugin());
  env.emplace_back("HAWSER_EMU_FAULTS", faults);
  return *this;
}

ValidationPair& ValidationPair::simulated_gpu() {
  with("--memory", "cuda");
  env.emplace_back("HAWSER_CUDA_LIBRARY", simulated_cuda());
  return *this;
}

bool matches(const std::string& text, const std::string& pattern) {
  return std::regex_search(text, std::regex(pattern));
}

void expect_could_not_run(const Outcome& outcome, const std::string& reason_pattern) {
  EXPECT_EQ(outcome.exit_code, 3) << outcome.describe();
  EXPECT_TRUE(matches(outcome.err, reason_pattern))
      << "want " << reason_pattern << ": " << outcome.describe();
  EXPECT_FALSE(matches(outcome.out, "PASSED")) << outcome.describe();
}

}  // namespace hawser::test
