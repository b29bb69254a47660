// Time: an injectable clock, deadlines, and the one way to wait by polling.
#pragma once

#include <chrono>
#include <functional>

namespace hawser {

using TimePoint = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;

// Where "now" comes from. Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  static const Clock& system();
};

// A point in time after which waiting is an error. A value; copies share nothing.
class Deadline {
 public:
  static Deadline after(Milliseconds timeout, const Clock& clock = Clock::system());
  static Deadline never();

  bool expired() const { return remaining() <= Milliseconds::zero(); }
  Milliseconds remaining() const;  // never below zero
  // For poll(2): the remaining time, rounded up, at most `limit_ms`.
  int poll_timeout_ms(int limit_ms) const;
  Milliseconds timeout() const { return timeout_; }

 private:
  Deadline(const Clock* clock, TimePoint when, Milliseconds timeout)
      : clock_(clock), when_(when), timeout_(timeout) {}

  const Clock* clock_;
  TimePoint when_;
  Milliseconds timeout_;
};

// Backs off between polls that made no progress: first yields the core, then
// sleeps 20 µs to 1 ms, so that an idle wait leaves the core to others.
class Backoff {
 public:
  void idle();                       // call after a poll that found nothing
  void progressed() { spins_ = 0; }  // call after one that did

 private:
  int spins_ = 0;
};

}  // namespace hawser
