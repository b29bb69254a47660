#include "net/tcp/offer.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "base/parameters.h"
#include "net/tcp/message_window.h"

namespace hawser::tcp {
namespace {

constexpr int kMaxComms = 65536;

NetCapabilities capabilities() {
  NetCapabilities capabilities;
  capabilities.max_requests = static_cast<int>(kMaxRequests);
  capabilities.max_request_bytes = kMaxMessageBytes;
  capabilities.registration_per_device = true;
  capabilities.reports_received_bytes = true;
  capabilities.reports_lost_memory = true;
  capabilities.connects_to_receive = true;
  return capabilities;
}

bool of_family(const IpAddress& address, FamilyChoice family) {
  return family == FamilyChoice::any ||
         (address.family == IpFamily::ipv4) == (family == FamilyChoice::ipv4);
}

std::string_view cut(std::string_view& text, char separator) {
  const auto at = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

}  // namespace

Result<Advertised> parse_advertised(const std::string& text) {
  Advertised advertised;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view part = cut(rest, ',');
    std::string_view address = part;
    std::string_view interface;
    if (part.find('=') != std::string_view::npos) interface = cut(address, '=');
    const auto parsed = IpAddress::parse(std::string(address));
    if (!parsed)
      return Error(Code::invalid_argument,
                   fmt::format("{}='{}': '{}' is no address; want one, or eth0=192.0.2.7,eth1=...",
                               parameters::kAdvertise.name, text, address));
    advertised.insert_or_assign(std::string(interface), *parsed);
  }
  return advertised;
}

NetDevice describe(const SelectedInterface& selected) {
  NetDevice device;
  device.name = selected.interface.name;
  device.pci_path = selected.interface.pci_path;
  device.address = selected.address.text();
  device.speed_mbps = selected.interface.speed_mbps;
  device.numa_node = selected.interface.numa_node;
  device.guid = selected.interface.index;
  device.mtu = selected.interface.mtu;
  device.max_comms = kMaxComms;
  device.capabilities = capabilities();
  return device;
}

Path path_of(const SelectedInterface& selected, FamilyChoice family, const Advertised& advertised,
             const std::optional<IpAddress>& chosen, bool by_device) {
  const Interface& interface = selected.interface;
  Path path;
  path.name = interface.name;
  path.interface_index = interface.index;
  // A machine's own bridges and dummies only hold addresses for what comes in elsewhere.
  path.bound = by_device && interface.kind != InterfaceKind::internal;
  for (std::size_t i = 0; i < interface.addresses.size(); ++i)
    if (of_family(interface.addresses[i], family))
      path.addresses.push_back({interface.addresses[i],
                                i < interface.prefix_bits.size() ? interface.prefix_bits[i] : 0});
  const IpAddress& first = chosen ? *chosen : selected.address;
  std::ranges::stable_partition(
      path.addresses, [&](const Path::Address& one) { return one.ip.same_address(first); });
  if (path.addresses.empty()) path.addresses.push_back({selected.address, 0});
  if (chosen) path.addresses.resize(1);
  auto found = advertised.find(interface.name);
  if (found == advertised.end()) found = advertised.find("");
  if (found != advertised.end() && !interface.loopback &&
      found->second.family == path.address().family)
    path.advertised = found->second;
  return path;
}

std::string manner(const Device& device) {
  const std::vector<Path> paths = device.paths();
  const bool bound = std::ranges::all_of(paths, &Path::bound);
  return fmt::format("{}, at most {} socket{} per channel, {} I/O thread{}{}",
                     device.socket.congestion, device.flows, device.flows == 1 ? "" : "s",
                     device.io->threads(), device.io->threads() == 1 ? "" : "s",
                     bound || paths.front().address().loopback()
                         ? ""
                         : ", bound to its address only: leaves by the interface of the route");
}

}  // namespace hawser::tcp
