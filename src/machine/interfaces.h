// The network interfaces of this machine: which are up, their addresses, and what sysfs knows of
// them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "machine/interface_kind.h"

namespace hawser {

// What is assumed of an interface whose speed sysfs does not tell; NCCL assumes the same.
inline constexpr int kAssumedSpeedMbps = 10000;

// An interface that is up and has an address. A value.
struct Interface {
  std::string name;
  unsigned index = 0;  // the kernel's
  bool loopback = false;
  InterfaceKind kind = InterfaceKind::device;
  std::vector<IpAddress> addresses;  // never empty; the kernel's order
  std::vector<int> prefix_bits;      // of each address' network
  int mtu = 0;                       // 0: not known
  int speed_mbps = kAssumedSpeedMbps;
  bool speed_assumed = true;  // sysfs did not tell: the speed is a guess
  std::string pci_path;       // sysfs path of the PCI function; empty for a virtual interface
  int numa_node = -1;         // -1: none, or not known
};

// One line of getifaddrs(3). A link without an address has lines without one.
struct AddressRecord {
  std::string name;
  unsigned index = 0;
  unsigned flags = 0;  // IFF_UP, IFF_LOOPBACK
  std::optional<IpAddress> address;
  int prefix_bits = 0;  // of its network; 0: not known
  int mtu = 0;          // 0: not known
};

// Where the lines come from; tests give their own.
using AddressSource = std::function<Result<std::vector<AddressRecord>>()>;
Result<std::vector<AddressRecord>> system_addresses();

// Every interface that is up and has an address: NICs first, loopback last, else in the kernel's
// order.
// `sysfs_root` is usually "/sys".
Result<std::vector<Interface>> list_interfaces(const std::string& sysfs_root,
                                               const AddressSource& source = system_addresses);

}  // namespace hawser
