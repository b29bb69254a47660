// What the kernel has counted on a network interface.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace hawser {

struct NicCounters {
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
};

// From /sys/class/net/NAME/statistics; some drivers bring it up to date once a second only.
// Nothing: sysfs does not tell.
std::optional<NicCounters> read_nic_counters(const std::string& sysfs_root,
                                             const std::string& name);

}  // namespace hawser
