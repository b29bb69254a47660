// The counters behind hawser_emu_stats.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "emu_stats.h"

namespace emu {

// A counter that remembers its highest value. Thread-safe.
class Gauge {
 public:
  void add(std::uint64_t count);
  void subtract(std::uint64_t count) { now_.fetch_sub(count, std::memory_order_relaxed); }
  std::uint64_t now() const { return now_.load(std::memory_order_relaxed); }
  std::uint64_t highest() const { return highest_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> now_{0};
  std::atomic<std::uint64_t> highest_{0};
};

// Thread-safe; every number stands alone (nothing is published through them).
struct Stats {
  using Counter = std::atomic<std::uint64_t>;
  std::array<Counter, HAWSER_EMU_CALL_COUNT> calls{};
  Counter faults_applied{0};
  Counter registrations_made{0};
  Counter max_requests_in_flight{0};
  Counter pool_exhausted{0};
  Counter pool_starved_us{0};
  Counter slots_leaked{0};
  Counter sends_abandoned{0};
  Counter deregistered_in_flight{0};
  Counter bytes_sent{0};
  Counter bytes_received{0};
  Counter fragments{0};
  Counter bad_peers{0};
  Counter overlapping_setups{0};
  Counter host_receive_polls{0};
  Gauge pages;

  void saw_in_flight(std::uint64_t count);
  void copy_to(HawserEmuStats& out) const;
};

}  // namespace emu
