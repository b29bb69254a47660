// Threads of this process, as the kernel counts them, and what they wait for.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace hawser::test {

inline constexpr Milliseconds kEventually{20000};

// Asks again and again until it holds; false: it did not in kEventually.
template <class Condition>
bool eventually(Condition holds) {
  const Deadline deadline = Deadline::after(kEventually);
  for (Backoff backoff; !deadline.expired(); backoff.idle())
    if (holds()) return true;
  return holds();
}

// Those whose name starts with `prefix`; all with an empty one.
std::vector<pid_t> threads_named(std::string_view prefix);

// What a thread of this process has used up to now.
std::chrono::nanoseconds cpu_time_of(pid_t thread);
// All its threads together.
std::chrono::nanoseconds cpu_time_of_process();

// How much of `meanwhile` the threads spend on a CPU while this one looks at the clock.
std::chrono::nanoseconds cpu_time_during(const std::vector<pid_t>& threads, Milliseconds meanwhile);

}  // namespace hawser::test
