#include "perf/affinity.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>

namespace hawser {
namespace {

// The CPUs, with those of one core side by side, in the order of each core's first.
std::vector<std::vector<int>> cores_of(const std::vector<int>& cpus, const CoreOf& core_of) {
  std::vector<std::pair<std::string, std::vector<int>>> cores;
  for (const int cpu : cpus) {
    const std::string name = core_of(cpu);
    const auto same = [&](const auto& core) { return core.first == name; };
    const auto found = std::find_if(cores.begin(), cores.end(), same);
    if (found == cores.end())
      cores.push_back({name, {cpu}});
    else
      found->second.push_back(cpu);
  }
  std::vector<std::vector<int>> lists;
  for (auto& core : cores) lists.push_back(std::move(core.second));
  return lists;
}

std::string list_of(const std::vector<std::vector<int>>& cores, std::size_t from, std::size_t to) {
  std::vector<int> cpus;
  for (std::size_t i = from; i < to; ++i) cpus.insert(cpus.end(), cores[i].begin(), cores[i].end());
  std::sort(cpus.begin(), cpus.end());
  return cpus_text(cpus);
}

}  // namespace

std::string core_of_cpu(int cpu) {
  std::ifstream file(
      fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
  std::string siblings;
  if (std::getline(file, siblings) && !siblings.empty()) return siblings;
  return fmt::format("cpu {}", cpu);
}

CpuHalves halve(const std::vector<int>& cpus, const CoreOf& core_of) {
  const auto cores = cores_of(cpus, core_of);
  if (cores.size() < 2) return {};
  const std::size_t middle = cores.size() / 2;
  return {list_of(cores, 0, middle), list_of(cores, middle, cores.size())};
}

CpuHalves halve_cpus() {
  return halve(allowed_cpus(), core_of_cpu);
}

Result<ScopedAffinity> ScopedAffinity::pin(const std::vector<int>& cpus) {
  if (cpus.empty()) return ScopedAffinity({});
  std::vector<int> before = allowed_cpus();
  if (const int problem = run_this_thread_on(cpus); problem != 0)
    return Error(Code::invalid_argument,
                 fmt::format("{}; it may use {}",
                             system_error(problem, "running on CPUs " + cpus_text(cpus)).message(),
                             cpus_text(before)));
  return ScopedAffinity(std::move(before));
}

ScopedAffinity::~ScopedAffinity() {
  if (!before_.empty()) run_this_thread_on(before_);
}

}  // namespace hawser
