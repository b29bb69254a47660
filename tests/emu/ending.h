// The end of the process, from a thread of the emulator's own: the real plugin's workers do that.
#pragma once

#include <atomic>
#include <string>

#include "calls_in_progress.h"
#include "fault_rules.h"

namespace emu {

// Thread-safe. Only the first end happens.
class Ending {
 public:
  explicit Ending(const CallsInProgress& calls) : calls_(calls) {}

  // "emulated TCPX: <line>" on stderr, and exit(1), as soon as no call is in progress. The call
  // that found the reason returns as if there was none.
  void exit_saying(std::string line);
  // The same by a rule of HAWSER_EMU_FAULTS: exit, abort or segv.
  void act(const FaultRule& rule);

 private:
  template <typename End>
  void from_own_thread(End end);

  const CallsInProgress& calls_;
  std::atomic<bool> begun_{false};
};

}  // namespace emu
