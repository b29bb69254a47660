#include "machine/interfaces.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <system_error>

#include "base/fd.h"
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
    if (record.mtu != 0) interface.mtu = record.mtu;
    if (!record.address) continue;
    interface.addresses.push_back(*record.address);
    interface.prefix_bits.push_back(record.prefix_bits);
  }
  std::erase_if(list, [](const Interface& interface) { return interface.addresses.empty(); });
  return list;
}

// Of an address' network, by its mask.
int prefix_bits_of(const sockaddr* mask, const IpAddress& address) {
  const auto count = [](const auto& bytes) {
    int set = 0;
    for (const auto byte : std::as_bytes(std::span(&bytes, 1)))
      set += std::popcount(std::to_integer<unsigned>(byte));
    return set;
  };
  if (mask == nullptr) return 0;
  return address.family == IpFamily::ipv4
             ? count(reinterpret_cast<const sockaddr_in*>(mask)->sin_addr)
             : count(reinterpret_cast<const sockaddr_in6*>(mask)->sin6_addr);
}

// Of an interface of this thread's network namespace; sysfs may show another one's.
int mtu_of(const std::string& name) {
  const UniqueFd asking(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  name.copy(request.ifr_name, sizeof request.ifr_name - 1);
  return asking.valid() && ::ioctl(asking.get(), SIOCGIFMTU, &request) == 0 ? request.ifr_mtu : 0;
}

AddressRecord to_record(const ifaddrs& line) {
  AddressRecord record;
  record.name = line.ifa_name;
  const std::string interface = without_label(line.ifa_name);
  record.index = if_nametoindex(interface.c_str());
  record.flags = line.ifa_flags;
  record.address = IpAddress::from(line.ifa_addr);
  if (record.address) record.prefix_bits = prefix_bits_of(line.ifa_netmask, *record.address);
  if (!record.address) record.mtu = mtu_of(interface);
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
  for (Interface& interface : list) {
    const fs::path folder = fs::path(sysfs_root) / "class" / "net" / interface.name;
    read_speed(folder, interface);
    read_device(folder, interface);
    interface.kind =
        interface.loopback ? InterfaceKind::internal : interface_kind(sysfs_root, interface.name);
  }
  std::ranges::stable_sort(list, {}, [](const Interface& interface) {
    return std::pair(interface.loopback, interface.kind);
  });
  return list;
}

}  // namespace hawser
