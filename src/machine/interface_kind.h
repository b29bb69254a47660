// What an interface is: something that leads to other machines, or something of this machine's own.
#pragma once

#include <string>

namespace hawser {

// In the order in which they are likely to lead to another machine.
enum class InterfaceKind {
  device,    // a NIC, or what stands on one: a bond, a VLAN, a bridge that has one for a member
  software,  // a veth, a tunnel: the only way out of a container, or a machine's own affair
  internal,  // a bridge without a NIC, what container and VM software makes, a dummy, loopback
};
const char* interface_kind_text(InterfaceKind kind);  // "a bridge without a NIC, ..."

// By its folder below /sys/class/net; one that sysfs does not know is software.
InterfaceKind interface_kind(const std::string& sysfs_root, const std::string& name);

}  // namespace hawser
