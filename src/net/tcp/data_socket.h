// The transport's own sockets: how they are set up, and when their peer counts as gone.
#pragma once

#include <string>

#include "base/address.h"
#include "base/fd.h"
#include "base/result.h"

namespace hawser::tcp {

// How data sockets are made.
struct SocketOptions {
  int buffer_bytes = 0;    // SO_SNDBUF and SO_RCVBUF; 0 leaves them to the kernel
  std::string congestion;  // TCP_CONGESTION; empty leaves the kernel's default
  // A peer that was asked several times and has answered nothing for so long is gone. A stopped
  // process, or one that does not read, still answers: its kernel does.
  unsigned peer_silence_ms = 20'000;
  // Whether this process may bind sockets to interfaces (Linux 5.7; or CAP_NET_RAW).
  bool by_device = true;
};
// Of a connection over a way that may lose larger packets: fits into the smallest MTU of IPv6, 1280
// bytes, which all ways have.
inline constexpr int kSmallSegmentBytes = 1200;

// Without Nagle's delay, kept alive. What a listening one accepts inherits all of it.
Result<UniqueFd> open_data_socket(IpFamily family, const SocketOptions& options);

// Of a connection that was made: whether the peer has answered nothing for `silence_ms` although it
// was asked at least a few times. Its machine, or the way to it, is gone.
bool peer_is_silent(int fd, unsigned silence_ms);

}  // namespace hawser::tcp
