// What a Net tells of an interface, and what its connections need to know of it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "machine/interface_selection.h"
#include "net/net.h"
#include "net/tcp/device.h"

namespace hawser::tcp {

// HAWSER_ADVERTISE: an address by interface; "" is all of them.
using Advertised = std::map<std::string, IpAddress>;
Result<Advertised> parse_advertised(const std::string& text);

NetDevice describe(const SelectedInterface& selected);
// Of the families that may be used; `chosen` comes first, where the interface has it.
Path path_of(const SelectedInterface& selected, FamilyChoice family, const Advertised& advertised,
             const std::optional<IpAddress>& chosen, bool by_device);

// "cubic, at most 9 sockets per channel, 8 I/O threads": how a device's connections are made.
std::string manner(const Device& device);

}  // namespace hawser::tcp
