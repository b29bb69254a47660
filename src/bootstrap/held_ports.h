// The listening sockets of a rendezvous server.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace hawser {

// One listening socket, on the port of one channel. Move-only.
struct HeldPort {
  UniqueFd socket;
  int channel = 0;
};

// Listens on the ports of channels 0 to channels - 1 (of the first kPortsPerGpu), on every address
// that `bind_address` stands for and this machine has.
Result<std::vector<HeldPort>> hold_ports(const std::string& bind_address, int port_base, int gpu,
                                         int channels);

}  // namespace hawser
