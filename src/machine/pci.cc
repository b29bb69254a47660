#include "machine/pci.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace hawser {
namespace {

namespace fs = std::filesystem;

bool is_host_bridge(const std::string& component) {
  return component.starts_with("pci") && component.find(':') != std::string::npos;
}

// From the host bridge down to what is above the function: "pci0000:00", "0000:00:01.0", ...
std::vector<std::string> bridges_above(const std::string& path) {
  std::vector<std::string> bridges;
  for (const fs::path& part : fs::path(path).parent_path())
    if (!bridges.empty() || is_host_bridge(part.string())) bridges.push_back(part.string());
  return bridges;
}

}  // namespace

int numa_node_of(const std::string& function) {
  std::ifstream in(fs::path(function) / "numa_node");
  int node = -1;
  return in >> node ? node : -1;
}

PciPlace find_pci_function(const std::string& sysfs_root, const std::string& name,
                           const std::string& bus_address) {
  PciPlace place{name, "", -1};
  std::error_code problem;
  const fs::path link = fs::path(sysfs_root) / "bus" / "pci" / "devices" / bus_address;
  const fs::path function = fs::canonical(link, problem);
  if (problem) return place;
  place.path = function.string();
  place.numa_node = numa_node_of(place.path);
  return place;
}

Proximity proximity(const PciPlace& one, const PciPlace& other) {
  const auto a = bridges_above(one.path), b = bridges_above(other.path);
  if (a.empty() || b.empty()) return Proximity::unknown;
  const auto parting = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  const auto shared = parting.first - a.begin();
  if (shared == 0) {
    const bool same_node = one.numa_node >= 0 && one.numa_node == other.numa_node;
    return same_node ? Proximity::same_numa_node : Proximity::apart;
  }
  if (shared == 1) return Proximity::same_host_bridge;
  // Each port of a switch is a bridge of its own: one more on either side is still that switch.
  const bool one_switch = a.end() - parting.first <= 1 && b.end() - parting.second <= 1;
  return one_switch ? Proximity::same_switch : Proximity::same_root_port;
}

const char* proximity_text(Proximity proximity) {
  switch (proximity) {
    case Proximity::same_switch:
      return "under the same PCIe switch";
    case Proximity::same_root_port:
      return "under the same PCIe root port";
    case Proximity::same_host_bridge:
      return "at the same PCIe host bridge";
    case Proximity::same_numa_node:
      return "on the same NUMA node";
    case Proximity::apart:
      return "on another NUMA node";
    case Proximity::unknown:
      return "not known to be near";
  }
  return "?";
}

}  // namespace hawser
