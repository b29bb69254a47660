// The built-in transport: a Net on plain TCP sockets, for host memory.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "net/net.h"
#include "topology/interface_selection.h"
#include "topology/interfaces.h"

namespace hawser {

// A value.
struct TcpOptions {
  std::string sysfs_root = "/sys";
  AddressSource addresses = system_addresses;
  InterfaceSelection interfaces;
  int socket_buffer_bytes = 0;  // 0: as the kernel likes

  // As the parameters say: HAWSER_SYSFS_ROOT, HAWSER_SOCKET_*.
  static Result<TcpOptions> from_environment();
};

// One device per selected interface, one socket per connection, no threads: whatever happens,
// happens in the caller's calls. Thread-safe as Net demands.
Result<std::unique_ptr<Net>> make_tcp_net(const TcpOptions& options);

}  // namespace hawser
