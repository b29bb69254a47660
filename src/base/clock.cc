#include "base/clock.h"

#include <algorithm>
#include <thread>

namespace hawser {
namespace {

class SteadyClock : public Clock {
 public:
  TimePoint now() const override { return std::chrono::steady_clock::now(); }
};

constexpr int kYields = 64;
constexpr std::chrono::microseconds kShortestSleep{20};
constexpr std::chrono::microseconds kLongestSleep{1000};

}  // namespace

const Clock& Clock::system() {
  static const auto* const clock = new SteadyClock;  // never destroyed: threads outlive exit()
  return *clock;
}

Deadline Deadline::after(Milliseconds timeout, const Clock& clock) {
  return Deadline(&clock, clock.now() + timeout, timeout);
}

Deadline Deadline::never() {
  return Deadline(&Clock::system(), TimePoint::max(), Milliseconds::max());
}

Milliseconds Deadline::remaining() const {
  if (when_ == TimePoint::max()) return Milliseconds::max();
  return std::max(Milliseconds::zero(), std::chrono::ceil<Milliseconds>(when_ - clock_->now()));
}

int Deadline::poll_timeout_ms(int limit_ms) const {
  return static_cast<int>(std::min<Milliseconds::rep>(remaining().count(), limit_ms));
}

void Backoff::idle() {
  if (++spins_ <= kYields) {
    std::this_thread::yield();
    return;
  }
  const int doublings = std::min((spins_ - kYields) / 16, 6);
  std::this_thread::sleep_for(std::min(kShortestSleep * (1 << doublings), kLongestSleep));
}

}  // namespace hawser
