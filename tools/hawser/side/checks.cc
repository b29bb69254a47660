#include "side/checks.h"

#include "base/parameters.h"

namespace hawser {
namespace {

constexpr int kMinTimeoutMs = 100;
constexpr int kMaxTimeoutMs = 24 * 3600 * 1000;

}  // namespace

Status check_side(const SideOptions& options) {
  if (options.address.empty())
    return Error(Code::invalid_argument, "address: want an IP address or a host name");
  return in_range("timeout in ms", options.timeout_ms, kMinTimeoutMs, kMaxTimeoutMs);
}

Status complete_port_base(SideOptions& options) {
  if (options.port_base != 0) return {};
  HAWSER_ASSIGN(const std::int64_t base, parameters::kPortBase.integer());
  options.port_base = static_cast<int>(base);
  return {};
}

EnvironmentChoice environment_choice(const OneDeviceOptions& options) {
  EnvironmentChoice choice;
  choice.transport.plugin = options.plugin;
  choice.transport.chunk_bytes = options.chunk_bytes;
  if (options.role == Role::client) choice.transport.peer = options.address;
  choice.transport.isolate = options.isolate;
  choice.transport.data_ports = options.data_ports;
  choice.transport.advertise = options.advertise;
  choice.device = options.device;
  choice.memory = options.memory;
  choice.gpu = options.gpu;
  return choice;
}

}  // namespace hawser
