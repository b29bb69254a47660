// Ranges of TCP ports for tests that need several in a row.
#pragma once

#include "base/fd.h"

namespace hawser::test {

// A base whose next kCount ports nobody is bound to, below the ephemeral range. Other tests of
// this machine leave it alone as long as this object lives; strangers are only looked for once.
class PortRange {
 public:
  static constexpr int kCount = 64;  // of eight GPUs, 8 each

  PortRange();
  int base() const { return base_; }

 private:
  UniqueFd claim_;
  int base_ = 0;
};

// A listening socket on 127.0.0.1 (no SO_REUSEADDR); an invalid one where the port is taken.
// Port 0 picks one; bound_port() tells which.
UniqueFd listen_on_loopback(int port);
int bound_port(const UniqueFd& socket);

// A connected socket, or an invalid one.
UniqueFd connect_to_loopback(int port);

// Kernels may have IPv6 switched off.
bool ipv6_is_there();
// Some minimal images have no /etc/hosts.
bool localhost_is_known();

}  // namespace hawser::test
