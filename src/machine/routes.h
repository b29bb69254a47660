// What the kernel's routes say.
#pragma once

#include "base/address.h"

namespace hawser {

// Whether some route leads from that address by that interface to the target. A socket that is
// bound to an interface does without: what it has no route for, it takes for a neighbour. True
// where the kernel cannot be asked, or of IPv6, where there is no such thing.
bool has_route(const IpAddress& from, const IpAddress& target, unsigned interface_index);

}  // namespace hawser
