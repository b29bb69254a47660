// Where a transport's device sits in the machine.
#pragma once

#include "machine/gpu_nic_map.h"
#include "net/net.h"

namespace hawser {

// By its name, for the map of GPUs and NICs. A plugin may name a PCI function by a link: it is
// followed, where it leads anywhere.
PciPlace place_of(const NetDevice& device);

}  // namespace hawser
