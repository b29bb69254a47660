// Where PCI functions hang, and how far they are from each other, as sysfs tells.
#pragma once

#include <string>
#include <vector>

namespace hawser {

// A device and its place. A value.
struct PciPlace {
  std::string name;    // "GPU 0", "eth1"
  std::string path;    // of the PCI function, below /sys/devices; empty: not on PCI, or not known
  int numa_node = -1;  // -1: none, or not known
};

// As sysfs says in the folder of a PCI function; -1: it does not.
int numa_node_of(const std::string& function);

// The place of a function that is known by its address ("0000:04:00.0"); empty path: not there.
PciPlace find_pci_function(const std::string& sysfs_root, const std::string& name,
                           const std::string& bus_address);

// What traffic between two functions passes, nearest first. NCCL calls these PIX, PXB, PHB, NODE
// and SYS.
enum class Proximity {
  same_switch,       // one PCIe switch, or one card
  same_root_port,    // several switches, but no host bridge
  same_host_bridge,  // a host bridge of one CPU
  same_numa_node,    // several host bridges of one NUMA node
  apart,             // the interconnect between NUMA nodes
  unknown,           // one of them is not on PCI
};
Proximity proximity(const PciPlace& one, const PciPlace& other);
// "under the same PCIe switch"
const char* proximity_text(Proximity proximity);

}  // namespace hawser
