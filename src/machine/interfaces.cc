#include "machine/interfaces.h"

#include <ifaddrs.h>
#include <net/if.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>

#include "machine/pci.h"

namespace hawser {
namespace {

namespace fs = std::filesystem;

// The kernel names an address by its label, "eth0:1", where it has one; the interface is "eth0".
std::string without_label(std::string_view name) {
  return std::string(name.substr(0, name.find(':')));
}

std::optional<int> read_integer(const fs::path& file) {
  std::ifstream in(file);
  int value = 0;
  if (!(in >> value)) return std::nullopt;
  return value;
}

void read_speed(const fs::path& folder, Interface& interface) {
  const auto speed = read_integer(folder / "speed");
  interface.speed_assumed = !speed || *speed <= 0;
  interface.speed_mbps = interface.speed_assumed ? kAssumedSpeedMbps : *speed;
}

// A virtio NIC's device lies one below its PCI function.
fs::path pci_function(fs::path device) {
  if (device.filename().string().starts_with("virtio")) device = device.parent_path();
  return device;
}

void read_device(const fs::path& folder, Interface& interface) {
  std::error_code problem;
  const fs::path device = fs::canonical(folder / "device", problem);
  if (problem) return;
  interface.pci_path = pci_function(device).string();
  interface.numa_node = numa_node_of(interface.pci_path);
}

Interface& entry_for(std::vector<Interface>& list, const AddressRecord& record) {
  const std::string name = without_label(record.name);
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const Interface& known) { return known.name == name; });
  if (found != list.end()) return *found;
  Interface interface;
  interface.name = name;
  interface.loopback = (record.flags & IFF_LOOPBACK) != 0;
  return list.emplace_back(std::move(interface));
}

std::vector<Interface> group(const std::vector<AddressRecord>& records) {
  std::vector<Interface> list;
  for (const AddressRecord& record : records) {
    if ((record.flags & IFF_UP) == 0) continue;
    Interface& interface = entry_for(list, record);
    if (record.index != 0) interface.index = record.index;
    if (record.address) interface.addresses.push_back(*record.address);
  }
  std::erase_if(list, [](const Interface& interface) { return interface.addresses.empty(); });
  return list;
}

AddressRecord to_record(const ifaddrs& line) {
  AddressRecord record;
  record.name = line.ifa_name;
  record.index = if_nametoindex(without_label(line.ifa_name).c_str());
  record.flags = line.ifa_flags;
  record.address = IpAddress::from(line.ifa_addr);
  return record;
}

}  // namespace

Result<std::vector<AddressRecord>> system_addresses() {
  ifaddrs* head = nullptr;
  if (getifaddrs(&head) != 0) return system_error(errno, "listing network interfaces");
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(head, &freeifaddrs);
  std::vector<AddressRecord> records;
  for (const ifaddrs* line = head; line != nullptr; line = line->ifa_next)
    records.push_back(to_record(*line));
  return records;
}

Result<std::vector<Interface>> list_interfaces(const std::string& sysfs_root,
                                               const AddressSource& source) {
  HAWSER_ASSIGN(const std::vector<AddressRecord> records, source());
  std::vector<Interface> list = group(records);
  std::stable_partition(list.begin(), list.end(),
                        [](const Interface& interface) { return !interface.loopback; });
  for (Interface& interface : list) {
    const fs::path folder = fs::path(sysfs_root) / "class" / "net" / interface.name;
    read_speed(folder, interface);
    read_device(folder, interface);
  }
  return list;
}

}  // namespace hawser
