// Which CPUs a process runs on: two sides on one machine must not share a core, or the sender's
// cache serves the receiver, as no two machines' can.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/cpus.h"
#include "base/result.h"
#include "perf/perf.h"

namespace hawser {

// What tells CPUs of one core from those of others: equal for the hardware threads of one core.
using CoreOf = std::function<std::string(int cpu)>;
// From /sys/devices/system/cpu; a CPU that it does not tell about is a core of its own.
std::string core_of_cpu(int cpu);
CpuHalves halve(const std::vector<int>& cpus, const CoreOf& core_of);

// Keeps the calling thread, and those it starts from then on, on some CPUs; gives it back what it
// had when it goes. Of one thread only.
class ScopedAffinity {
 public:
  // An empty list changes nothing. Code::invalid_argument: this process may use none of them.
  static Result<ScopedAffinity> pin(const std::vector<int>& cpus);
  ScopedAffinity(ScopedAffinity&& other) noexcept : before_(std::move(other.before_)) {
    other.before_.clear();
  }
  ScopedAffinity& operator=(ScopedAffinity&&) = delete;
  ~ScopedAffinity();

 private:
  explicit ScopedAffinity(std::vector<int> before) : before_(std::move(before)) {}
  std::vector<int> before_;  // empty: nothing to give back
};

}  // namespace hawser
