#include "net/tcp/tuning.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "base/cpu_quota.h"
#include "machine/numa.h"
#include "net/tcp/frame.h"

namespace hawser::tcp {
namespace {

// With fewer CPUs than this a thread of ours takes one from somebody who needs it more.
constexpr int kFewCpus = 4;
constexpr int kMostThreads = 32;
// A NIC's queues, and the kernel's work behind them, are spread by connection.
constexpr unsigned kSocketsOfNic = 4;
constexpr unsigned kMostSockets = 9;

std::vector<int> common(const std::vector<int>& a, const std::vector<int>& b) {
  std::vector<int> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

// Of those that are on one: loopback and other virtual interfaces are on none. -1: they are on
// different ones, or it is not known.
int shared_node(const std::vector<SelectedInterface>& interfaces) {
  int shared = -1;
  for (const SelectedInterface& selected : interfaces) {
    const int node = selected.interface.numa_node;
    if (node >= 0 && shared >= 0 && node != shared) return -1;
    if (node >= 0) shared = node;
  }
  return shared;
}

}  // namespace

Result<IoPoolOptions> tune_io(const TcpOptions& options, std::vector<int> cpus,
                              const std::vector<SelectedInterface>& interfaces) {
  IoPoolOptions tuned;
  tuned.cores = static_cast<int>(cpus.size());
  tuned.spin = std::chrono::microseconds(options.io_spin_us);
  tuned.cpus = options.io_cpus;
  const int shared = shared_node(interfaces);
  if (const int node = options.io_numa_node >= 0 ? options.io_numa_node : shared;
      tuned.cpus.empty() && node >= 0) {
    const auto near = node_cpus(options.sysfs_root, node);
    if (!near.ok() && options.io_numa_node >= 0) return near.error();
    if (near.ok()) tuned.cpus = common(cpus, *near);
  }
  const auto count = static_cast<int>(
      usable_cpus(tuned.cpus.empty() ? cpus.size() : tuned.cpus.size(), options.cpu_quota));
  tuned.threads = options.io_threads >= 0 ? options.io_threads
                  : count < kFewCpus      ? 0
                                          : std::min(count / 2, kMostThreads);
  return tuned;
}

unsigned tune_flows(const TcpOptions& options, int io_threads, bool loopback, std::size_t paths) {
  if (options.sockets_per_channel > 0)
    return std::min(static_cast<unsigned>(options.sockets_per_channel), kMaxFlows);
  const unsigned driven = std::min(static_cast<unsigned>(io_threads) + 1, kMostSockets);
  const unsigned spread = loopback ? 1 : kSocketsOfNic;
  return std::max({driven, spread, static_cast<unsigned>(paths)});
}

}  // namespace hawser::tcp
