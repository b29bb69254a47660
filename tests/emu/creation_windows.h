// Which channels are being created right now: for the fault "devmem=conflict".
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include "fault_rules.h"

namespace emu {

// A window is open from listen (or the first connect) to the end of the comm's first regMr,
// or its first request, or its close. Thread-safe.
class CreationWindows {
 public:
  std::uint64_t open(int device, Side side);
  void close(std::uint64_t window);
  // Is another window of that device and side open?
  bool others_open(std::uint64_t window, int device, Side side) const;

 private:
  struct Key {
    int device;
    Side side;
  };
  mutable std::mutex mutex_;
  std::uint64_t next_ = 1;             // under mutex_
  std::map<std::uint64_t, Key> open_;  // under mutex_
};

}  // namespace emu
