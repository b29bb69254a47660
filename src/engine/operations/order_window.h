// How far messages may be ahead of the oldest that is not acknowledged: whoever gets them holds
// back what comes before its turn, and not without end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace hawser::engine {

// Numbers count from 1. A pure structure: not thread-safe.
class OrderWindow {
 public:
  static constexpr std::uint64_t kMostAhead = 32768;

  bool admits(std::uint64_t order) const { return order < oldest_ + kMostAhead; }
  // Once for each number, in any order, of those admitted.
  void acknowledged(std::uint64_t order) {
    const auto at = static_cast<std::size_t>(order - oldest_);
    if (at >= done_.size()) done_.resize(at + 1);
    done_[at] = true;
    while (!done_.empty() && done_.front()) {
      done_.pop_front();
      ++oldest_;
    }
  }

 private:
  std::uint64_t oldest_ = 1;
  std::deque<bool> done_;  // from the oldest on
};

}  // namespace hawser::engine
