// What must be right around a GPUDirect-TCPX plugin before it is used: what it does not check
// itself, it answers by hanging, by losing memory, or by ending the process.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "machine/interfaces.h"
#include "machine/pci.h"
#include "net/hosted/hosting.h"
#include "setup/finding.h"

namespace hawser {

// What the checks look at. A value: gather_tcpx_setup() fills it from the machine, tests as they
// like.
struct TcpxSetup {
  PluginFound plugin;
  TcpxKind kind = TcpxKind::none;
  std::string version;  // of the plugin, as its library has it: "3.1.9"; empty: it does not tell

  // Environment variables as they are set. Nothing: unset.
  std::optional<std::string> dynamic_chunk_bytes;
  std::optional<std::string> sockets_per_thread;
  std::optional<std::string> threads;
  std::optional<std::string> inline_bytes;
  std::optional<std::string> tx_bindings;
  std::optional<std::string> rx_bindings;
  std::optional<std::string> data_interfaces;
  std::optional<std::string> control_device;
  std::string rxdm_folder;

  std::size_t wanted_chunk_bytes = 0;        // asked for by an option; 0: it was left open
  std::string gpu_bus_id;                    // "0000:04:00.0"; empty: no GPU's memory is used
  std::vector<int> cpus;                     // of the machine; empty: not known
  std::vector<int> numa_nodes;               // of the machine; empty: not known
  std::vector<std::string> interface_names;  // of the machine, up or not; empty: not known
  std::vector<Interface> interfaces;         // that are up and have an address
  std::string peer;                          // as the user wrote it; empty: there is none
  std::vector<IpAddress> peer_addresses;     // of that
};

// One per thing that goes wrong. Nothing: it is right.
std::optional<Finding> check_version(const TcpxSetup& setup);
std::optional<Finding> check_gpu(const TcpxSetup& setup);
// Connects to the receive manager's sockets.
std::optional<Finding> check_rxdm(const TcpxSetup& setup);
std::optional<Finding> check_chunk(const TcpxSetup& setup);
std::optional<Finding> check_sockets(const TcpxSetup& setup);
std::optional<Finding> check_inline(const TcpxSetup& setup);
std::optional<Finding> check_core_sets(const TcpxSetup& setup);
std::optional<Finding> check_data_interfaces(const TcpxSetup& setup);
std::optional<Finding> check_numa_nodes(const TcpxSetup& setup);
std::optional<Finding> check_control_device(const TcpxSetup& setup);
std::optional<Finding> check_peer(const TcpxSetup& setup);

// Once the devices are known: data for a GPU must come in by a NIC of its PCIe root. `nics` are all
// there are, for the fix.
std::optional<Finding> check_nic_of_gpu(const PciPlace& gpu, const PciPlace& nic,
                                        const std::vector<PciPlace>& nics);

// A check that was made, and what it found.
struct CheckOutcome {
  std::string subject;  // "chunk"
  std::optional<Finding> finding;
};

// All that apply to this kind of plugin; none for one that is no TCPX.
std::vector<CheckOutcome> check_tcpx_setup(const TcpxSetup& setup);

// All errors in one, which names the plugin and each fix; nothing where there are none.
// Code::invalid_argument.
Status setup_errors(const TcpxSetup& setup, const std::vector<CheckOutcome>& outcomes);

}  // namespace hawser
