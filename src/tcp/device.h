// What a listener, a connector and a comm need to know of the device they belong to.
#pragma once

#include <string>
#include <vector>

#include "tcp/registration.h"
#include "topology/ip_address.h"

namespace hawser::tcp {

// Owned by the Net, which outlives all that refers to it. Constant but for its registrations,
// which are thread-safe.
struct Device {
  std::string name;
  unsigned interface_index = 0;
  IpAddress address;
  int socket_buffer_bytes = 0;  // 0: as the kernel likes
  RegistrationTable registrations;
};

}  // namespace hawser::tcp
