// NUMA nodes, as sysfs tells of them.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"

namespace hawser {

// The CPUs of a NUMA node; Code::unavailable where sysfs does not tell.
Result<std::vector<int>> node_cpus(const std::string& sysfs_root, int node);

// Those that have CPUs, ascending; none where sysfs does not tell.
std::vector<int> numa_nodes(const std::string& sysfs_root);

// While it lives the memory that this thread makes comes from that node, as long as it has any:
// also what the kernel or a driver pins for it. -1, or a kernel that will not: as without it.
class PreferNumaNode {
 public:
  static constexpr std::size_t kMaxNodes = 1024;

  explicit PreferNumaNode(int node);
  ~PreferNumaNode();
  PreferNumaNode(const PreferNumaNode&) = delete;
  PreferNumaNode& operator=(const PreferNumaNode&) = delete;

 private:
  using Nodes = std::array<unsigned long, kMaxNodes / (8 * sizeof(unsigned long))>;
  bool set_ = false;
  int old_policy_ = 0;
  Nodes old_nodes_{};
};

}  // namespace hawser
