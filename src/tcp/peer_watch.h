// Now and then, while something is awaited in vain: is the peer's machine still there?
#pragma once

#include "base/clock.h"

namespace hawser::tcp {

// Of one thread. Costs next to nothing per poll.
class PeerWatch {
 public:
  // A peer that was asked several times and has said nothing for so long is gone. A stopped
  // process, or one that does not read, still answers: its kernel does.
  static constexpr unsigned kSilenceMs = 20'000;

  // True about once a second, if asked often.
  bool due() {
    if (++polls_ % kPollsBetweenLooks != 0 || !next_.expired()) return false;
    next_ = Deadline::after(kInterval);
    return true;
  }

 private:
  static constexpr unsigned kPollsBetweenLooks = 512;
  static constexpr Milliseconds kInterval{1000};

  unsigned polls_ = 0;
  Deadline next_ = Deadline::after(kInterval);
};

}  // namespace hawser::tcp
