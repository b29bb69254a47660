// What a polling loop does between polls: rests, and now and then looks whether it must end.
#pragma once

#include <cstdint>

#include "base/wait.h"
#include "perf/perf.h"

namespace hawser {

// Cheap enough for every poll: the bound is asked once in kPollsPerCheck, or after each sleep.
// Of one thread.
class Watch {
 public:
  static constexpr std::uint32_t kPollsPerCheck = 1024;

  Watch(PerfIdle idle, const WaitBound& bound, const char* what)
      : idle_(idle), bound_(bound), what_(what) {}

  // After a poll; an error ends the loop.
  Status after(bool moved) {
    if (moved)
      found_nothing_ = 0;
    else if (++found_nothing_ > kSpins && idle_ != PerfIdle::spin)
      rest();
    if (++polls_ % kPollsPerCheck != 0) return {};
    return check();
  }
  Status check() const;

 private:
  static constexpr std::uint32_t kSpins = 64;
  void rest();

  PerfIdle idle_;
  const WaitBound& bound_;
  const char* what_;
  std::uint32_t found_nothing_ = 0;
  std::uint32_t polls_ = 0;
  Backoff backoff_;
};

}  // namespace hawser
