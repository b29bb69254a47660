// The kernel's own counters of the NICs, beside what the channels say.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "node/accounts.h"

namespace hawser::node {

// Not thread-safe.
class KernelCounters {
 public:
  explicit KernelCounters(std::string sysfs_root) : sysfs_root_(std::move(sysfs_root)) {}

  void start(const std::vector<std::string>& nics);
  // Since then. Waits for drivers that bring theirs up to date once a second, where less was
  // counted than moved. Empty where the peer is on this machine, so that nothing went over a NIC.
  KernelCounts counts(const NodeOutcome& outcome) const;

 private:
  static constexpr Milliseconds kPatience{2500};

  KernelCounts now() const;

  const std::string sysfs_root_;
  KernelCounts before_;
};

// What does not fit, in words, a line for each NIC and direction: less than the channels moved, so
// that it went another way, or much more.
std::vector<std::string> compare(const Accounts& books, const KernelCounts& kernel);

}  // namespace hawser::node
