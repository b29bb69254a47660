// What follows from the options and from the machine: how many I/O threads, where they run, how
// many sockets a connection has. docs/performance.md has the measurements behind the defaults.
#pragma once

#include <vector>

#include "tcp/io_pool.h"
#include "tcp/tcp_net.h"
#include "topology/interface_selection.h"

namespace hawser::tcp {

// `cpus`: that this process may use.
Result<IoPoolOptions> tune_io(const TcpOptions& options, std::vector<int> cpus,
                              const std::vector<SelectedInterface>& interfaces);

// At most so many sockets of a connection, for a device over `paths` interfaces.
unsigned tune_flows(const TcpOptions& options, int io_threads, bool loopback, std::size_t paths);

// The CPUs of a NUMA node; Code::unavailable where sysfs does not tell.
Result<std::vector<int>> node_cpus(const std::string& sysfs_root, int node);

}  // namespace hawser::tcp
