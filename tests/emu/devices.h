// The network interfaces that the emulator offers.
#pragma once

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace emu {

// An IPv4 or IPv6 address and port.
union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;

  socklen_t bytes() const { return any.sa_family == AF_INET6 ? sizeof v6 : sizeof v4; }
};

struct Device {
  std::string name;
  std::string pci_path;  // empty: a virtual interface
  int speed_mbps = 0;
  Address address{};  // port 0
};

inline constexpr std::size_t kMaxDevices = 64;

// Interfaces that are up and have an address, loopback last; one address of each, IPv4 first.
// `interfaces` is a comma list of name prefixes, `=` before it makes them whole names,
// `^` makes it a list of what to leave out; empty: all.
std::vector<Device> find_devices(const std::string& interfaces, const std::string& sysfs_root);

// Whether such a list lets a name through.
bool interface_allowed(const std::string& interfaces, const std::string& name);

}  // namespace emu
