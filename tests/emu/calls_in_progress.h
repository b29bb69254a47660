// How many calls of the host are in the emulator.
#pragma once

#include <atomic>

namespace emu {

// Thread-safe. Publishes nothing.
class CallsInProgress {
 public:
  class Scope {
   public:
    explicit Scope(CallsInProgress& calls) : calls_(calls) { ++calls_.count_; }
    ~Scope() { --calls_.count_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    CallsInProgress& calls_;
  };

  int count() const { return count_.load(); }

 private:
  std::atomic<int> count_{0};
};

}  // namespace emu
