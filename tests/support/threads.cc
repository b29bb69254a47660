#include "support/threads.h"

#include <fmt/core.h>
#include <time.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace hawser::test {
namespace {

std::chrono::nanoseconds read_clock(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// The kernel's number for the CPU clock of any thread of this process.
clockid_t clock_of(pid_t thread) {
  constexpr unsigned kPerThreadScheduled = 6;
  return static_cast<clockid_t>((~static_cast<unsigned>(thread) << 3) | kPerThreadScheduled);
}

}  // namespace

std::vector<pid_t> threads_named(std::string_view prefix) {
  std::vector<pid_t> found;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "comm");
    std::string name;
    if (std::getline(file, name) && name.starts_with(prefix))
      found.push_back(std::stoi(task.path().filename().string()));
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::chrono::nanoseconds cpu_time_of(pid_t thread) {
  return read_clock(clock_of(thread));
}

std::chrono::nanoseconds cpu_time_of_process() {
  return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

std::chrono::nanoseconds cpu_time_during(const std::vector<pid_t>& threads,
                                         Milliseconds meanwhile) {
  const auto sum = [&] {
    std::chrono::nanoseconds all{};
    for (const pid_t thread : threads) all += cpu_time_of(thread);
    return all;
  };
  const auto before = sum();
  const Deadline end = Deadline::after(meanwhile);
  for (Backoff backoff; !end.expired();) backoff.idle();
  return sum() - before;
}

}  // namespace hawser::test
