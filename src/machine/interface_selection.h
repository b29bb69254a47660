// Which interfaces to use, and which address of each: HAWSER_SOCKET_IFNAME, HAWSER_SOCKET_FAMILY.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "machine/interfaces.h"

namespace hawser {

enum class FamilyChoice { any, ipv4, ipv6 };

// What was asked for, and by which settings, so that an error can name them. A value.
struct InterfaceSelection {
  // "eth,ib": name prefixes, in this order; "=eth1": exact names; "^docker": all but; "" = all.
  std::string names;
  FamilyChoice family = FamilyChoice::any;
  // Of those that match, only the kind that leads out most surely: no docker0 beside an eth0.
  bool best_kind = false;
  std::string names_setting = "the interface list";
  std::string family_setting = "the address family";

  // HAWSER_SOCKET_IFNAME and HAWSER_SOCKET_FAMILY, else NCCL_SOCKET_IFNAME and NCCL_SOCKET_FAMILY.
  static Result<InterfaceSelection> from_environment();
};

// An interface with the one address of it that is used.
struct SelectedInterface {
  Interface interface;
  IpAddress address;
};

// The first kind that any of them has.
InterfaceKind best_kind(std::span<const SelectedInterface> selected);

// Any family: the first IPv4 address, else a global IPv6 one, else a link-local one. Nothing that
// matches is Code::unavailable, and the error names the setting and the interfaces there are.
Result<std::vector<SelectedInterface>> select_interfaces(const std::vector<Interface>& interfaces,
                                                         const InterfaceSelection& selection);

}  // namespace hawser
