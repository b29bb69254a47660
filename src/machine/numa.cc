#include "machine/numa.h"

#include <fmt/core.h>
#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>

#include "base/cpus.h"

namespace hawser {
namespace {

// As the kernel counts: it leaves out the last.
constexpr std::size_t kMaskBits = PreferNumaNode::kMaxNodes + 1;

}  // namespace

Result<std::vector<int>> node_cpus(const std::string& sysfs_root, int node) {
  std::ifstream file(fmt::format("{}/devices/system/node/node{}/cpulist", sysfs_root, node));
  std::string text;
  if (std::getline(file, text) && !text.empty()) return parse_cpus(text);
  return Error(Code::unavailable, fmt::format("there is no NUMA node {} here, or sysfs under {} "
                                              "does not tell its CPUs",
                                              node, sysfs_root));
}

std::vector<int> numa_nodes(const std::string& sysfs_root) {
  std::vector<int> nodes;
  for (int node = 0; node < static_cast<int>(PreferNumaNode::kMaxNodes); ++node)
    if (node_cpus(sysfs_root, node).ok()) nodes.push_back(node);
  return nodes;
}

PreferNumaNode::PreferNumaNode(int node) {
  if (node < 0 || node >= static_cast<int>(kMaxNodes)) return;
  if (::syscall(SYS_get_mempolicy, &old_policy_, old_nodes_.data(), kMaxNodes, nullptr, 0) != 0)
    return;
  Nodes wanted{};
  constexpr std::size_t kBits = 8 * sizeof(unsigned long);
  const auto bit = static_cast<std::size_t>(node);
  wanted[bit / kBits] = 1UL << (bit % kBits);
  set_ = ::syscall(SYS_set_mempolicy, MPOL_PREFERRED, wanted.data(), kMaskBits) == 0;
}

PreferNumaNode::~PreferNumaNode() {
  if (set_) ::syscall(SYS_set_mempolicy, old_policy_, old_nodes_.data(), kMaskBits);
}

}  // namespace hawser
