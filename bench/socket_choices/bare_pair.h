// Joins the two sockets of one sample over loopback.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "socket_choices/variant.h"

namespace hawser::bench {

// A blocking TCP socket that was asked for what the variant wants.
Result<UniqueFd> open_socket(const SocketChoice& choice);

struct Meeting {
  UniqueFd socket;
  std::uint16_t port = 0;
};

// Listens on any free port of 127.0.0.1.
Result<Meeting> listen_on_loopback(const SocketChoice& choice);
// The connection that comes from `port`; whatever else comes is closed.
Result<UniqueFd> accept_from(int listener, std::uint16_t port, const SocketChoice& choice,
                             const Deadline& deadline);
// To `port` of 127.0.0.1; returns the port it comes from.
Result<std::uint16_t> connect_to(int socket, std::uint16_t port);

}  // namespace hawser::bench
