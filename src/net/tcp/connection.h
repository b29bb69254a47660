// One connected data socket, with the names that its errors need.
#pragma once

#include <string>

#include "base/address.h"
#include "base/fd.h"
#include "base/result.h"
#include "net/tcp/device.h"

namespace hawser::tcp {

// The way that a connected socket takes. A value.
struct Route {
  std::string interface;
  SocketAddress local;
  SocketAddress remote;

  // Asks the socket for both its addresses. Code::system where it uses no address of the device's:
  // the traffic would take another interface than the one that was chosen.
  static Result<Route> of(int fd, const Device& device);

  std::string text() const;  // "eth1, 192.0.2.7:4000 to 192.0.2.9:4001"
};

// A resource: it owns the socket. Not thread-safe.
struct Connection : Route {
  UniqueFd fd;
  Device* device = nullptr;  // borrowed from the Net

  // After an error the caller still has the socket: a flow's descriptor is known to others until
  // they are told.
  static Result<Connection> of(UniqueFd&& fd, Device& device);
};

// Tells the peer why this side gives up, as well as a non-blocking socket can.
void send_abort(const Connection& connection, const std::string& reason);
// What the peer said of that kind before the connection broke; empty: nothing.
std::string read_abort(const Connection& connection);

}  // namespace hawser::tcp
