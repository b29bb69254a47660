#include "base/cpus.h"

#include <fmt/core.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace hawser {
namespace {

constexpr int kMaxCpus = 65536;

// A CPU set of any size.
class CpuSet {
 public:
  CpuSet() : set_(CPU_ALLOC(kMaxCpus)) { CPU_ZERO_S(bytes(), set_); }
  ~CpuSet() { CPU_FREE(set_); }
  CpuSet(const CpuSet&) = delete;
  CpuSet& operator=(const CpuSet&) = delete;

  static std::size_t bytes() { return CPU_ALLOC_SIZE(kMaxCpus); }
  cpu_set_t* get() { return set_; }
  void add(int cpu) { CPU_SET_S(static_cast<std::size_t>(cpu), bytes(), set_); }
  bool has(int cpu) const { return CPU_ISSET_S(static_cast<std::size_t>(cpu), bytes(), set_); }

 private:
  cpu_set_t* set_;
};

// The number that `text` starts with; the rest stays in `text`.
bool take_number(std::string_view& text, int& number) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

Status take_cpu_range(std::string_view text, std::vector<int>& cpus) {
  int first = 0;
  std::string_view rest = text;
  bool good = take_number(rest, first);
  int last = first;
  if (good && rest.starts_with('-')) {
    rest.remove_prefix(1);
    good = take_number(rest, last);
  }
  if (!good || !rest.empty() || first < 0 || last < first || last > kMaxCpus - 1)
    return Error(Code::invalid_argument, fmt::format("CPUs '{}': want a list like 0-3,8", text));
  for (int cpu = first; cpu <= last; ++cpu) cpus.push_back(cpu);
  return {};
}

}  // namespace

std::vector<int> allowed_cpus() {
  CpuSet set;
  std::vector<int> cpus;
  if (::sched_getaffinity(0, CpuSet::bytes(), set.get()) != 0) return cpus;
  for (int cpu = 0; cpu < kMaxCpus; ++cpu)
    if (set.has(cpu)) cpus.push_back(cpu);
  return cpus;
}

int run_this_thread_on(const std::vector<int>& cpus) {
  CpuSet set;
  for (const int cpu : cpus) set.add(cpu);
  return ::sched_setaffinity(0, CpuSet::bytes(), set.get()) == 0 ? 0 : errno;
}

Result<std::vector<int>> parse_cpus(std::string_view text) {
  std::vector<int> cpus;
  while (true) {
    const std::size_t comma = text.find(',');
    HAWSER_TRY(take_cpu_range(text.substr(0, comma), cpus));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  return cpus;
}

std::string cpus_text(const std::vector<int>& cpus) {
  std::string text;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t end = i + 1;
    while (end < cpus.size() && cpus[end] == cpus[end - 1] + 1) ++end;
    text += fmt::format("{}{}", text.empty() ? "" : ",", cpus[i]);
    if (end - i > 1) text += fmt::format("-{}", cpus[end - 1]);
    i = end;
  }
  return text;
}

}  // namespace hawser
