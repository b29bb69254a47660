// Which pairs of NICs a link uses, once it was tried what reaches what.
#pragma once

#include <span>
#include <vector>

#include "base/clock.h"
#include "engine/nic_ways.h"
#include "net/net.h"

namespace hawser::engine {

// Tries all that are possible at once, from the client's side, and waits no longer than it takes to
// know the best pairs, a second at most. Empty: none was found, or the Net cannot find out.
std::vector<NicWay> pairs_that_reach(Net& net, std::span<const int> devices,
                                     std::span<const wire::Device> client,
                                     std::span<const wire::Device> server, bool same_stack,
                                     const Deadline& deadline);

}  // namespace hawser::engine
