// One connected data socket, with the names that its errors need.
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "tcp/device.h"
#include "topology/ip_address.h"

namespace hawser::tcp {

// A resource: it owns the socket. Not thread-safe.
struct Connection {
  UniqueFd fd;
  Device* device = nullptr;    // borrowed from the Net
  const Path* path = nullptr;  // of the device
  SocketAddress local;
  SocketAddress remote;

  // Asks the socket for both its addresses. Code::system where it uses no address of the device's:
  // the traffic would take another interface than the one that was chosen. After an error the caller
  // still has the socket: a flow's descriptor is known to others until they are told.
  static Result<Connection> of(UniqueFd&& fd, Device& device);

  std::string text() const;  // "eth1, 192.0.2.7:4000 to 192.0.2.9:4001"
};

// Tells the peer why this side gives up, as well as a non-blocking socket can.
void send_abort(const Connection& connection, const std::string& reason);
// What the peer said of that kind before the connection broke; empty: nothing.
std::string read_abort(const Connection& connection);

}  // namespace hawser::tcp
