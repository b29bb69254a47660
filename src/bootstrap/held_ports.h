// The listening sockets of a rendezvous server.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "control/listener.h"

namespace hawser {

// Listens on the ports of channels 0 to channels - 1 (of the first kPortsPerGpu), on every address
// that `bind_address` stands for and this machine has. A port's number is its channel.
Result<std::vector<control::Listener::Port>> hold_ports(const std::string& bind_address,
                                                        int port_base, int gpu, int channels);

}  // namespace hawser
