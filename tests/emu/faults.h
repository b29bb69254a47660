// Makes the rules of HAWSER_EMU_FAULTS happen.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "fault_rules.h"
#include "stats.h"

namespace emu {

// When a call that may say "not yet" was first made: of a comm, or of a request.
using FirstCall = std::optional<std::chrono::steady_clock::time_point>;

// What is left of a call after the faults.
struct Outcome {
  enum { proceed, not_yet, fail } verdict = proceed;
  int code = 0;  // of fail
};

// exit, abort or segv.
[[noreturn]] void end_process(const FaultRule& rule);

// Thread-safe once made.
class Faults {
 public:
  Faults(std::vector<FaultRule> rules, Stats& stats) : rules_(std::move(rules)), stats_(stats) {}

  // To be called with no lock held: it may sleep, block for ever or end the process.
  // With `first`, a delay says not_yet until it has passed; without, it sleeps.
  Outcome apply(int target, Side side = Side::any, int channel = kAnyChannel,
                FirstCall* first = nullptr);

  // The number of the first matching payload or peer rule.
  std::optional<std::uint64_t> offset_of(int target, Side side, int channel) const;
  bool devmem_conflict(Side side) const;
  // The first rule for what is no call; nullptr: none. Whoever follows it says so with applied().
  const FaultRule* find(int target, Side side, int channel) const;
  void applied() { stats_.faults_applied.fetch_add(1, std::memory_order_relaxed); }

 private:
  Outcome act(std::size_t index, FirstCall* first);
  void print(std::size_t index);

  std::vector<FaultRule> rules_;
  Stats& stats_;
  std::array<std::atomic<int>, kMaxFaultRules> prints_{};  // so that a polled call cannot flood
};

}  // namespace emu
