// The built-in transport: a Net on plain TCP sockets, for host memory.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "machine/interface_selection.h"
#include "machine/interfaces.h"
#include "net/net.h"

namespace hawser {

// A value.
struct TcpOptions {
  std::string sysfs_root = "/sys";
  AddressSource addresses = system_addresses;
  InterfaceSelection interfaces;
  int socket_buffer_bytes = 0;      // 0: as the kernel likes
  int sockets_per_channel = 0;      // at most; 0: by device and I/O threads
  int io_threads = -1;              // -1: by the CPUs there are; 0: whoever polls does everything
  std::optional<double> cpu_quota;  // CPUs' worth of time that the process gets; none: all of them
  std::vector<int> io_cpus;         // where they may run; empty: by io_numa_node
  int io_numa_node = -1;            // -1: the one that all devices share, if they do
  int io_spin_us = 50;              // they look on for so long before they sleep
  std::string congestion = "auto";  // auto, system, or a name: tcp/congestion.h
  std::string data_ports;           // "30000-30015"; empty: any
  std::string advertise;            // "192.0.2.7", "eth0=192.0.2.7": HAWSER_ADVERTISE
  bool bind_to_devices = true;      // false: as where it is not allowed
  int peer_silence_ms = 20'000;     // a peer that leaves all questions unanswered so long is gone

  // As the parameters say: HAWSER_SYSFS_ROOT, HAWSER_SOCKET_*, HAWSER_IO_*, ...
  static Result<TcpOptions> from_environment();
};

// One device per selected interface; at most four of one address family can be joined. The first
// socket of a connection is driven by its caller, further ones by a few I/O threads, which are
// started when first needed.
Result<std::unique_ptr<Net>> make_tcp_net(const TcpOptions& options);

}  // namespace hawser
