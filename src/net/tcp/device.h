// What a listener, a connector and a comm need to know of the device they belong to.
#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "net/tcp/data_socket.h"
#include "net/tcp/io_pool.h"
#include "net/tcp/registration.h"

namespace hawser::tcp {

// One interface of a device.
struct Path {
  std::string name;
  unsigned interface_index = 0;
  IpAddress address;
};

// Owned by the Net, which outlives all that refers to it. Constant but for its registrations,
// which are thread-safe.
struct Device {
  std::string name;
  std::vector<Path> paths;  // one; of a virtual device several, all of one family
  SocketOptions socket;
  unsigned flows = 1;    // sockets of one connection, at most
  IoPool* io = nullptr;  // borrowed from the Net
  RegistrationTable registrations;

  IpFamily family() const { return paths.front().address.family; }
  // Flows take the interfaces in turn.
  const Path& path_of(unsigned flow) const { return paths[flow % paths.size()]; }
};

}  // namespace hawser::tcp
