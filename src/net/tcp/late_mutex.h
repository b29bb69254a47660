// A mutex that costs nothing until it is needed.
#pragma once

#include <mutex>

namespace hawser::tcp {

// For what one thread uses alone until it lets others in: it says so with share(), before any of
// them is there, and from then on the lock is taken. Most connections never get that far.
class LateMutex {
 public:
  void lock() {
    if (shared_) mutex_.lock();
  }
  void unlock() {
    if (shared_) mutex_.unlock();
  }
  // Not while it is locked. Again is no harm: nothing is written while others read.
  void share() {
    if (!shared_) shared_ = true;
  }
  bool shared() const { return shared_; }

 private:
  bool shared_ = false;
  std::mutex mutex_;
};

}  // namespace hawser::tcp
