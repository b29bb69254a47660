// A clock that stands still until a test moves it.
#pragma once

#include "base/clock.h"

namespace hawser::test {

// Not thread-safe.
class ManualClock : public Clock {
 public:
  TimePoint now() const override { return now_; }
  void advance(Milliseconds by) { now_ += by; }

 private:
  TimePoint now_{};
};

}  // namespace hawser::test
