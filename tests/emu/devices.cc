#include "devices.h"

#include <ifaddrs.h>
#include <net/if.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>

namespace emu {
namespace {

constexpr int kDefaultSpeedMbps = 10000;

bool name_matches(std::string_view wanted, std::string_view name, bool whole) {
  if (wanted.empty()) return false;
  return whole ? name == wanted : name.starts_with(wanted);
}

bool listed(std::string_view list, std::string_view name, bool whole) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (name_matches(list.substr(0, comma), name, whole)) return true;
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return false;
}

int read_speed(const std::string& sysfs_root, const std::string& name) {
  std::ifstream file(sysfs_root + "/class/net/" + name + "/speed");
  int speed = 0;
  return file >> speed && speed > 0 ? speed : kDefaultSpeedMbps;
}

std::string read_pci_path(const std::string& sysfs_root, const std::string& name) {
  char path[PATH_MAX];
  const std::string link = sysfs_root + "/class/net/" + name + "/device";
  return realpath(link.c_str(), path) != nullptr ? path : "";
}

bool usable(const ifaddrs& entry) {
  if (entry.ifa_addr == nullptr || (entry.ifa_flags & IFF_UP) == 0) return false;
  return entry.ifa_addr->sa_family == AF_INET || entry.ifa_addr->sa_family == AF_INET6;
}

Address address_of(const ifaddrs& entry) {
  Address address{};
  const bool v6 = entry.ifa_addr->sa_family == AF_INET6;
  std::memcpy(&address, entry.ifa_addr, v6 ? sizeof address.v6 : sizeof address.v4);
  return address;
}

void add(std::vector<Device>& devices, const ifaddrs& entry, const std::string& sysfs_root) {
  const std::string name = entry.ifa_name;
  const auto same = [&](const Device& device) { return device.name == name; };
  const auto known = std::find_if(devices.begin(), devices.end(), same);
  if (known != devices.end()) {
    if (known->address.any.sa_family == AF_INET6 && entry.ifa_addr->sa_family == AF_INET)
      known->address = address_of(entry);
    return;
  }
  if (devices.size() == kMaxDevices) return;
  devices.push_back(
      {name, read_pci_path(sysfs_root, name), read_speed(sysfs_root, name), address_of(entry)});
}

}  // namespace

bool interface_allowed(const std::string& interfaces, const std::string& name) {
  std::string_view list = interfaces;
  if (list.empty()) return true;
  const bool exclude = list.starts_with('^');
  if (exclude) list.remove_prefix(1);
  const bool whole = list.starts_with('=');
  if (whole) list.remove_prefix(1);
  return listed(list, name, whole) != exclude;
}

std::vector<Device> find_devices(const std::string& interfaces, const std::string& sysfs_root) {
  std::vector<Device> devices;
  ifaddrs* entries = nullptr;
  if (getifaddrs(&entries) != 0) return devices;
  for (const bool loopback : {false, true}) {
    for (const ifaddrs* entry = entries; entry != nullptr; entry = entry->ifa_next) {
      const bool is_loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0;
      if (is_loopback != loopback || !usable(*entry)) continue;
      if (interface_allowed(interfaces, entry->ifa_name)) add(devices, *entry, sysfs_root);
    }
  }
  freeifaddrs(entries);
  return devices;
}

}  // namespace emu
