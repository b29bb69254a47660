// HAWSER_EMU_FAULTS, parsed: what goes wrong, in which call, on which channel and side.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "emu_stats.h"

namespace emu {

enum class Side { any, server, client };  // server: the side that listened

// What a rule is about: an entry point (a HawserEmuCall), or one of these.
inline constexpr int kTargetPayload = 100;
inline constexpr int kTargetPeer = 101;
inline constexpr int kTargetDevmem = 102;
inline constexpr int kTargetRule = 103;       // the flow rule, in accept
inline constexpr int kTargetPool = 104;       // the pool, at the end of accept
inline constexpr int kTargetFragments = 105;  // of a receive
inline constexpr int kTargetWorker = 106;     // a thread of the plugin's own

enum class Action {
  fail,
  delay,
  never,
  hang,
  exit,
  abort,
  segv,
  print,
  corrupt,
  die,
  conflict,
  none
};

inline constexpr int kAnyChannel = -1;

struct FaultRule {
  Side side = Side::any;
  int target = 0;
  int channel = kAnyChannel;
  Action action = Action::fail;
  std::int64_t number = 0;  // the code, milliseconds, status, offset or bytes
  std::string text;         // of print

  bool concerns(int wanted_target, Side wanted_side, int wanted_channel) const;
};

inline constexpr std::size_t kMaxFaultRules = 64;

// Fills `rules` from the text; returns what is wrong with it, "" where nothing is.
std::string parse_fault_rules(std::string_view text, std::vector<FaultRule>& rules);

}  // namespace emu
