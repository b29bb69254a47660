// NUMA nodes, as sysfs tells of them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace hawser {

// The CPUs of a NUMA node; Code::unavailable where sysfs does not tell.
Result<std::vector<int>> node_cpus(const std::string& sysfs_root, int node);

}  // namespace hawser
