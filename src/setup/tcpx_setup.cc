#include "setup/tcpx_setup.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/cpus.h"
#include "base/parameters.h"
#include "machine/interface_selection.h"
#include "setup/rxdm.h"

namespace hawser {
namespace {

constexpr const char* kKnownVersion = "3.1.";
constexpr std::int64_t kMaxSockets = 8;  // of a channel; what is more the plugin cuts, to none even

Finding an_error(std::string what, std::string fix) {
  return {Severity::error, std::move(what), std::move(fix)};
}
Finding a_warning(std::string what, std::string fix) {
  return {Severity::warning, std::move(what), std::move(fix)};
}

// What is wrong with the number, if anything is.
std::optional<Finding> bad_number(const Parameter& parameter, const Result<std::int64_t>& number,
                                  const std::string& otherwise) {
  if (number.ok()) return std::nullopt;
  return an_error(number.error().message(),
                  fmt::format("{}, or unset {}", otherwise, parameter.name));
}

std::optional<Finding> no_interface(const Parameter& parameter, const std::string& names,
                                    const TcpxSetup& setup, const std::string& fix) {
  InterfaceSelection selection;
  selection.names = names;
  selection.names_setting = parameter.name;
  const auto selected = select_interfaces(setup.interfaces, selection);
  if (selected.ok()) return std::nullopt;
  return an_error(selected.error().message(), fix);
}

std::string list_of(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string names_near(const PciPlace& gpu, const std::vector<PciPlace>& nics) {
  std::vector<std::string> names;
  for (const PciPlace& nic : nics)
    if (proximity(gpu, nic) <= Proximity::same_root_port) names.push_back(nic.name);
  return list_of(names);
}

}  // namespace

std::optional<Finding> check_version(const TcpxSetup& setup) {
  if (setup.version.empty() || setup.version.starts_with(kKnownVersion)) return std::nullopt;
  return a_warning(
      fmt::format("the plugin is version {}, and hawser goes by what {}x does", setup.version,
                  kKnownVersion),
      fmt::format("run `hawser validate` before anything else, or install {}x", kKnownVersion));
}

std::optional<Finding> check_gpu(const TcpxSetup& setup) {
  if (!setup.gpu_bus_id.empty()) return std::nullopt;
  return an_error(
      "no GPU is in use, and the plugin's listen() needs one (its init() ends the "
      "process where there is no driver)",
      "use GPU memory (`--memory cuda`), where the NVIDIA driver is mounted");
}

std::optional<Finding> check_rxdm(const TcpxSetup& setup) {
  std::vector<std::string> problems;
  for (const std::string& path : rxdm_sockets(setup.rxdm_folder, setup.gpu_bus_id))
    if (std::string problem = unix_socket_problem(path); !problem.empty())
      problems.push_back(std::move(problem));
  if (problems.empty()) return std::nullopt;
  return an_error(
      fmt::format("the receive manager (RxDM) cannot be reached: {}", list_of(problems)),
      fmt::format("start tcpgpudmarxd, mount the folder of its --uds_path (/run/tcpx unless told "
                  "otherwise) here, and set {} to that folder",
                  parameters::kTcpxUnixClientPrefix.name));
}

std::optional<Finding> check_chunk(const TcpxSetup& setup) {
  const Parameter& parameter = parameters::kTcpxDynamicChunkSize;
  if (!setup.dynamic_chunk_bytes)
    return an_error(fmt::format("{} is unset, and the plugin hangs without it", parameter.name),
                    fmt::format("set it to {}", kUnpackRequestBytes));
  const auto bytes = parameter.parse_integer(*setup.dynamic_chunk_bytes);
  if (!bytes.ok())
    return bad_number(parameter, bytes, fmt::format("set it to {}", kUnpackRequestBytes));
  if (setup.wanted_chunk_bytes <= static_cast<std::size_t>(*bytes)) return std::nullopt;
  return an_error(
      fmt::format("{}={} and chunks of {} bytes were asked for: a larger request than the "
                  "plugin's chunk leaks pages of the bounce pool",
                  parameter.name, *bytes, setup.wanted_chunk_bytes),
      fmt::format("unset {}, or ask for chunks of {} bytes", parameter.name, *bytes));
}

std::optional<Finding> check_sockets(const TcpxSetup& setup) {
  const Parameter& per_thread = parameters::kTcpxSocketsPerThread;
  const Parameter& threads = parameters::kTcpxThreads;
  const std::string fix = "set NCCL_NSOCKS_PERTHREAD=2 and NCCL_SOCKET_NTHREADS=1";
  const auto sockets =
      per_thread.parse_integer(setup.sockets_per_thread.value_or(per_thread.default_value));
  if (!sockets.ok()) return bad_number(per_thread, sockets, fix);
  const auto count = threads.parse_integer(setup.threads.value_or(threads.default_value));
  if (!count.ok()) return bad_number(threads, count, fix);
  if (*sockets * *count <= kMaxSockets) return std::nullopt;
  return an_error(
      fmt::format("{}={} and {}={} make {} sockets for each channel, and the plugin "
                  "has room for {}",
                  per_thread.name, *sockets, threads.name, *count, *sockets * *count, kMaxSockets),
      fix);
}

std::optional<Finding> check_inline(const TcpxSetup& setup) {
  const Parameter& parameter = parameters::kTcpxInlineThreshold;
  if (!setup.inline_bytes) return std::nullopt;
  const auto bytes = parameter.parse_integer(*setup.inline_bytes);
  if (!bytes.ok()) return bad_number(parameter, bytes, "set it to 0");
  if (*bytes == 0) return std::nullopt;
  return an_error(fmt::format("{}={}: what is so small is written to GPU memory by the peer's CPU, "
                              "which ends its process",
                              parameter.name, *bytes),
                  fmt::format("unset {}", parameter.name));
}

// The plugin takes what is not node 0 for node 1, and looks at that without asking whether there is
// one.
std::optional<Finding> check_numa_nodes(const TcpxSetup& setup) {
  if (setup.numa_nodes.empty() || std::ranges::find(setup.numa_nodes, 1) != setup.numa_nodes.end())
    return std::nullopt;
  InterfaceSelection selection;
  selection.names = setup.data_interfaces.value_or("");
  selection.names_setting = parameters::kTcpxSocketIfname.name;
  const auto selected = select_interfaces(setup.interfaces, selection);
  if (!selected.ok()) return std::nullopt;  // told by the check of the data NICs
  for (const SelectedInterface& each : *selected) {
    const Interface& nic = each.interface;
    if (nic.pci_path.empty() || nic.numa_node == 0) continue;
    return an_error(
        fmt::format("{} is on NUMA node {}, and this machine has no node 1: the plugin's init() "
                    "crashes on a NIC that is not on node 0 or 1",
                    nic.name, nic.numa_node),
        "use a machine type or VM that tells NUMA nodes, as A3-High does");
  }
  return std::nullopt;
}

std::optional<Finding> check_data_interfaces(const TcpxSetup& setup) {
  const Parameter& parameter = parameters::kTcpxSocketIfname;
  if (!setup.data_interfaces)
    return a_warning(fmt::format("{} is unset, and the plugin offers every interface, also those "
                                 "without devmem",
                                 parameter.name),
                     "set it to the data NICs: eth1,eth2,eth3,eth4 on A3-High");
  return no_interface(parameter, *setup.data_interfaces, setup,
                      "name data NICs that are up and have an address (eth1,eth2,eth3,eth4 on "
                      "A3-High)");
}

std::optional<Finding> check_control_device(const TcpxSetup& setup) {
  if (!setup.control_device) return std::nullopt;  // the plugin takes the data NIC
  return no_interface(parameters::kTcpxControlDevice, *setup.control_device, setup,
                      "name an interface that is up and has an address (eth0 on A3-High)");
}

std::optional<Finding> check_peer(const TcpxSetup& setup) {
  for (const IpAddress& address : setup.peer_addresses) {
    bool own = address.loopback();
    for (const Interface& interface : setup.interfaces)
      for (const IpAddress& mine : interface.addresses) own = own || mine.same_address(address);
    if (!own) continue;
    return an_error(
        fmt::format("the peer {} ({}) is this machine: loopback never carries devmem, and the "
                    "plugin would end the process with \"rx no cmsg\"",
                    setup.peer, address.text()),
        "give another machine's address, or use `--plugin builtin` on one machine");
  }
  return std::nullopt;
}

std::optional<Finding> check_nic_of_gpu(const PciPlace& gpu, const PciPlace& nic,
                                        const std::vector<PciPlace>& nics) {
  const Proximity near = proximity(gpu, nic);
  if (near <= Proximity::same_root_port) return std::nullopt;
  if (near == Proximity::unknown)
    return a_warning(
        fmt::format("it is not known whether {} and {} share a PCIe root", gpu.name, nic.name),
        "mount /sys, and see `hawser devices`");
  const std::string better = names_near(gpu, nics);
  return an_error(
      fmt::format("{} and {} do not share a PCIe root ({}): what {} receives does not land in "
                  "that GPU's memory",
                  gpu.name, nic.name, proximity_text(near), nic.name),
      better.empty() ? "use another GPU: none of the plugin's devices is near this one"
                     : fmt::format("use {} with {}", better, gpu.name));
}

std::vector<CheckOutcome> check_tcpx_setup(const TcpxSetup& setup) {
  if (setup.kind == TcpxKind::none) return {};
  std::vector<CheckOutcome> made = {{"chunk size", check_chunk(setup)},
                                    {"sockets and threads", check_sockets(setup)},
                                    {"inline messages", check_inline(setup)},
                                    {"core sets", check_core_sets(setup)}};
  if (setup.kind != TcpxKind::real) return made;
  made.push_back({"plugin version", check_version(setup)});
  made.push_back({"GPU", check_gpu(setup)});
  made.push_back({"receive manager", check_rxdm(setup)});
  made.push_back({"data NICs", check_data_interfaces(setup)});
  made.push_back({"NUMA nodes", check_numa_nodes(setup)});
  made.push_back({"control device", check_control_device(setup)});
  if (!setup.peer.empty()) made.push_back({"peer", check_peer(setup)});
  return made;
}

Status setup_errors(const TcpxSetup& setup, const std::vector<CheckOutcome>& outcomes) {
  std::string all;
  int count = 0;
  for (const CheckOutcome& outcome : outcomes)
    if (outcome.finding && outcome.finding->severity == Severity::error)
      all += fmt::format("{}({}) {}", all.empty() ? "" : "; ", ++count, outcome.finding->text());
  if (count == 0) return {};
  return Error(Code::invalid_argument,
               fmt::format("the set-up of {} is wrong, so nothing of it was called (see "
                           "docs/tcpx.md): {}",
                           setup.plugin.name, all));
}

}  // namespace hawser
