// How much of the CPUs this process gets: a container's limit is one of time, not of CPUs.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace hawser {

// The least quota on the way from this process's cgroup up to the root of what can be seen, in
// CPUs: 0.5 is 50 ms of each 100 ms. Of cgroup v2 (cpu.max) and v1 (cpu.cfs_quota_us) alike,
// whichever is mounted, or both. Nothing: none. `root` stands before all paths, for tests.
std::optional<double> cpu_quota(const std::string& root = "");

// How many threads are worth it: as many as may run at a time, but no more than the quota lets go
// on (rounded down), and one at least.
std::size_t usable_cpus(std::size_t allowed, std::optional<double> quota);
std::size_t usable_cpus();  // of the calling thread, now

}  // namespace hawser
