#include "machine/nic_counters.h"

#include <filesystem>
#include <fstream>

namespace hawser {

std::optional<NicCounters> read_nic_counters(const std::string& sysfs_root,
                                             const std::string& name) {
  const auto folder = std::filesystem::path(sysfs_root) / "class" / "net" / name / "statistics";
  std::ifstream sent(folder / "tx_bytes"), received(folder / "rx_bytes");
  NicCounters counters;
  if (!(sent >> counters.sent_bytes) || !(received >> counters.received_bytes)) return std::nullopt;
  return counters;
}

}  // namespace hawser
