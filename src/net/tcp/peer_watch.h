// Now and then, while something is awaited in vain: time for a closer look?
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace hawser::tcp {

// Of one thread. Costs next to nothing per poll.
class PeerWatch {
 public:
  // Looks often enough to notice a peer that is silent for so long.
  explicit PeerWatch(unsigned silence_ms)
      : interval_(std::min(kLongest, Milliseconds(silence_ms / 4))),
        next_(Deadline::after(interval_)) {}

  // True about once a second, or more often, if asked often.
  bool due() {
    if (++polls_ % kPollsBetweenLooks != 0 || !next_.expired()) return false;
    next_ = Deadline::after(interval_);
    return true;
  }

 private:
  static constexpr unsigned kPollsBetweenLooks = 512;
  static constexpr Milliseconds kLongest{1000};

  unsigned polls_ = 0;
  const Milliseconds interval_;
  Deadline next_;
};

}  // namespace hawser::tcp
