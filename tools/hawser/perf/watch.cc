#include "perf/watch.h"

#include <sched.h>

namespace hawser {

Status Watch::check() const {
  if (auto error = bound_.broken(what_)) return *error;
  return {};
}

void Watch::rest() {
  if (idle_ == PerfIdle::yield) {
    ::sched_yield();
    return;
  }
  if (found_nothing_ == kSpins + 1) backoff_.progressed();
  backoff_.idle();
  polls_ |= kPollsPerCheck - 1;  // it may have slept: the next poll checks
}

}  // namespace hawser
