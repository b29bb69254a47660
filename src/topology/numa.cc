#include "topology/numa.h"

#include <fmt/core.h>

#include <fstream>

#include "base/cpus.h"

namespace hawser {

Result<std::vector<int>> node_cpus(const std::string& sysfs_root, int node) {
  std::ifstream file(fmt::format("{}/devices/system/node/node{}/cpulist", sysfs_root, node));
  std::string text;
  if (std::getline(file, text) && !text.empty()) return parse_cpus(text);
  return Error(Code::unavailable, fmt::format("there is no NUMA node {} here, or sysfs under {} "
                                              "does not tell its CPUs",
                                              node, sysfs_root));
}

}  // namespace hawser
