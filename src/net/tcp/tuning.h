// What follows from the options and from the machine: how many I/O threads, where they run, how
// many sockets a connection has. docs/performance.md has the measurements behind the defaults.
#pragma once

#include <vector>

#include "machine/interface_selection.h"
#include "net/tcp/io_pool.h"
#include "net/tcp/tcp_net.h"

namespace hawser::tcp {

// SO_SNDBUF and SO_RCVBUF of a connection that may have several sockets; the kernel allows twice as
// many bytes of data. What lies in the buffers of one socket waits for it, however fast the others
// are, and holds up every message behind: with the kernel's megabytes streaming of 128 KiB messages
// over five sockets fell to half (docs/performance.md).
inline constexpr int kStripedBufferBytes = 128 * 1024;

// `cpus`: that this process may use.
Result<IoPoolOptions> tune_io(const TcpOptions& options, std::vector<int> cpus,
                              const std::vector<SelectedInterface>& interfaces);

// At most so many sockets of a connection, for a device over `paths` interfaces.
unsigned tune_flows(const TcpOptions& options, int io_threads, bool loopback, std::size_t paths);

}  // namespace hawser::tcp
