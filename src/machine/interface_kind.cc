#include "machine/interface_kind.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <vector>

namespace hawser {
namespace {

namespace fs = std::filesystem;

// A VLAN on a bond on a NIC: deeper is a loop.
constexpr int kMostLevels = 8;
// What docker and libvirt call their bridges. With a NIC in one it still is theirs.
constexpr std::array<std::string_view, 2> kForeignBridges = {"docker", "virbr"};

// "bridge", "vlan", "vxlan", "bond", ...; empty for NICs and veths.
std::string device_type(const fs::path& folder) {
  std::ifstream in(folder / "uevent");
  constexpr std::string_view kKey = "DEVTYPE=";
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(kKey)) return line.substr(kKey.size());
  return "";
}

std::vector<std::string> lower_interfaces(const fs::path& folder) {
  constexpr std::string_view kLower = "lower_";
  std::vector<std::string> names;
  std::error_code problem;
  for (fs::directory_iterator it(folder, problem), end; !problem && it != end;
       it.increment(problem)) {
    const std::string entry = it->path().filename().string();
    if (entry.starts_with(kLower)) names.push_back(entry.substr(kLower.size()));
  }
  return names;
}

// Those whose other half may be in another namespace: a container's.
bool stands_on_one(const std::string& type) {
  return type == "vlan" || type == "macvlan" || type == "ipvlan";
}

InterfaceKind kind_of(const fs::path& net, const std::string& name, int levels) {
  const fs::path folder = net / name;
  std::error_code problem;
  if (fs::exists(folder / "device", problem)) return InterfaceKind::device;
  const std::vector<std::string> lower = lower_interfaces(folder);
  const bool on_device = levels > 0 && std::ranges::any_of(lower, [&](const std::string& below) {
                           return kind_of(net, below, levels - 1) == InterfaceKind::device;
                         });
  if (on_device) return InterfaceKind::device;
  const std::string type = device_type(folder);
  if (lower.empty() && stands_on_one(type)) return InterfaceKind::device;
  const bool bridge = type == "bridge" || fs::exists(folder / "bridge", problem);
  return bridge || name.starts_with("dummy") ? InterfaceKind::internal : InterfaceKind::software;
}

}  // namespace

const char* interface_kind_text(InterfaceKind kind) {
  switch (kind) {
    case InterfaceKind::device:
      return "a NIC";
    case InterfaceKind::software:
      return "no NIC, but a veth, a tunnel or the like";
    case InterfaceKind::internal:
      return "of this machine's own: loopback, a bridge without a NIC or the like";
  }
  return "?";
}

InterfaceKind interface_kind(const std::string& sysfs_root, const std::string& name) {
  if (name == "lo" || std::ranges::any_of(kForeignBridges, [&](std::string_view theirs) {
        return name.starts_with(theirs);
      }))
    return InterfaceKind::internal;
  return kind_of(fs::path(sysfs_root) / "class" / "net", name, kMostLevels);
}

}  // namespace hawser
