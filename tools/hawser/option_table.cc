#include "option_table.h"

#include <cmath>

namespace hawser::tool {
namespace {

constexpr double kMostSeconds = 24 * 3600;

int to_milliseconds(double seconds) {
  return seconds >= 0 && seconds <= kMostSeconds ? static_cast<int>(std::ceil(seconds * 1000)) : -1;
}

std::string seconds_text(int ms) {
  std::string text = std::to_string(ms / 1000);
  if (ms % 1000 != 0) text += "." + std::to_string(1000 + ms % 1000).substr(1);
  return text;
}

}  // namespace

CLI::Option* add_bytes(CLI::App& app, const std::string& name, std::uint64_t& to,
                       const std::string& text) {
  return app.add_option(name, to, text)
      ->transform(CLI::AsSizeValue(false).description(""))
      ->type_name("BYTES")
      ->capture_default_str();
}

CLI::Option* add_seconds(CLI::App& app, const std::string& name, int& to_ms,
                         const std::string& text) {
  const auto set = [&to_ms](double seconds) { to_ms = to_milliseconds(seconds); };
  return app.add_option_function<double>(name, set, text)
      ->type_name("SECONDS")
      ->default_str(seconds_text(to_ms));
}

CLI::Option* add_role(CLI::App& app, SideOptions& options, const std::string& text) {
  return add_choice<Role>(app, "role", options.role,
                          {{"server", Role::server}, {"client", Role::client}}, text)
      ->default_str("");
}

CLI::Option* add_address(CLI::App& app, SideOptions& options) {
  return app
      .add_option("address,--address", options.address,
                  "server: the address to listen on; client: the server's address or name")
      ->capture_default_str();
}

CLI::Option* add_port_base(CLI::App& app, SideOptions& options, const std::string& text) {
  return app.add_option("--port-base", options.port_base, text);
}

CLI::Option* add_memory(CLI::App& app, SideOptions& options, const std::string& text) {
  return add_choice<MemoryChoice>(app, "--memory", options.memory,
                                  {{"auto", MemoryChoice::automatic},
                                   {"host", MemoryChoice::host},
                                   {"cuda", MemoryChoice::cuda}},
                                  text);
}

void add_plugin(CLI::App& app, std::string& plugin) {
  app.add_option(
      "--plugin", plugin,
      "'builtin', or a NCCL net plugin: a path, libX.so, or x for libnccl-net-x.so; unset: what "
      "NCCL_GPUDIRECTTCPX_PLUGIN_PATH or NCCL_NET_PLUGIN names, else builtin");
}

void add_transport(CLI::App& app, SideOptions& options) {
  add_plugin(app, options.plugin);
  app.add_flag("--isolate", options.isolate,
               "run the plugin in a process of its own: its crash, exit or hang ends no other "
               "(docs/isolation.md)");
  app.add_option("--data-ports", options.data_ports,
                 "where data connections of the built-in transport come in: a port or a range, as "
                 "in 30000-30015; unset: HAWSER_DATA_PORTS, else any");
  app.add_option("--advertise", options.advertise,
                 "the address under which others reach it, behind NAT or forwarded ports, as in "
                 "203.0.113.7 or eth0=203.0.113.7; unset: HAWSER_ADVERTISE");
}

CLI::Option* add_timeout(CLI::App& app, SideOptions& options, const std::string& text) {
  return add_seconds(app, "--timeout", options.timeout_ms, text);
}

CLI::Option* add_chunk_bytes(CLI::App& app, SideOptions& options, const std::string& text) {
  return add_bytes(app, "--chunk-bytes", options.chunk_bytes, text);
}

void add_gpu(CLI::App& app, OneDeviceOptions& options) {
  app.add_option("gpu,--gpu", options.gpu, "this side's GPU; also the number in the port rule")
      ->capture_default_str();
}

void add_peer_gpu(CLI::App& app, OneDeviceOptions& options) {
  app.add_option("--peer-gpu", options.peer_gpu,
                 "client: the server's GPU, where it is another number");
}

CLI::Option* add_device(CLI::App& app, OneDeviceOptions& options, const std::string& text) {
  return app.add_option("device,--device,--dev", options.device, text)->capture_default_str();
}

void add_devices(CLI::App& app, std::vector<std::string>& devices) {
  app.add_option("--device,--dev", devices, "a NIC to use, by name or index; may be given again")
      ->delimiter(',')
      ->allow_extra_args(false);
}

void add_gpu_nic_map(CLI::App& app, std::string& map) {
  app.add_option("--gpu-nic-map", map,
                 "NICs for some GPUs instead of the nearest, as in 0=eth1,eth2;1=eth3");
}

void require_address(CLI::App& app, const SideOptions& options) {
  const CLI::Option* const address = app.get_option("--address");
  if (options.role == Role::client && address->count() == 0)
    throw CLI::RequiredError("the server's address");
}

}  // namespace hawser::tool
