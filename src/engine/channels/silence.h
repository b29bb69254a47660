// Whether a channel's silence means that it is dead: only if the peer is heard elsewhere meanwhile.
#pragma once

#include <chrono>

#include "base/clock.h"

namespace hawser::engine {

// A peer that had no time for a while (stopped, swapped out) is silent everywhere, then heard
// on one channel before the others: what counts is how long it has been heard elsewhere without a
// pause. A pure structure: not thread-safe.
class Silence {
 public:
  // Silent since `since`; elsewhere the last sign came at `heard`. To be asked often.
  bool conclusive(TimePoint now, TimePoint since, TimePoint heard, std::chrono::nanoseconds bound) {
    if (heard <= since) {
      broken();
      return false;
    }
    if (first_ == TimePoint{} || heard - last_ > bound) first_ = heard;
    last_ = heard;
    return now - since >= bound && heard - first_ >= bound / kEnough;
  }
  void broken() { first_ = {}; }

 private:
  static constexpr int kEnough = 4;

  TimePoint first_{};  // sign since the last pause; none: 0
  TimePoint last_{};
};

}  // namespace hawser::engine
