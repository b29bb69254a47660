// How many comms send large messages at about this time.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace hawser::tcp {

// Of a Net. Each comm is counted once in every period in which it sends; a period is long enough
// that the pauses of a busy comm do not show, and short enough that one that has become idle is
// forgotten soon. A hint: what threads do to it at the same moment may be off by one or two.
// Thread-safe.
class SenderCount {
 public:
  using Period = std::uint64_t;

  static Period now() {
    constexpr std::chrono::milliseconds kPeriod{8};
    return static_cast<Period>(SteadyClock::now().time_since_epoch() / kPeriod);
  }

  // A comm sends; `last` is when it did before, of the comm, 0 at first. How many have in this
  // period or the last one.
  int count(Period& last, Period period = now()) {
    if (last != period) {
      begin(period);
      last = period;
      of(period).fetch_add(1, std::memory_order_relaxed);
    }
    return std::max(of(period).load(std::memory_order_relaxed),
                    of(period - 1).load(std::memory_order_relaxed));
  }

 private:
  using SteadyClock = std::chrono::steady_clock;

  std::atomic<int>& of(Period period) { return counts_[period % counts_.size()]; }

  // The next one's count is cleared ahead, so that nobody adds to an old one.
  void begin(Period period) {
    Period newest = newest_.load(std::memory_order_relaxed);
    if (newest >= period ||
        !newest_.compare_exchange_strong(newest, period, std::memory_order_relaxed))
      return;
    of(period + 1).store(0, std::memory_order_relaxed);
    if (period - newest == 1) return;
    of(period).store(0, std::memory_order_relaxed);
    of(period - 1).store(0, std::memory_order_relaxed);
  }

  std::atomic<Period> newest_{0};
  std::array<std::atomic<int>, 4> counts_{};
};

}  // namespace hawser::tcp
