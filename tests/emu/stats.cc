#include "stats.h"

namespace emu {
namespace {

void raise_to(std::atomic<std::uint64_t>& highest, std::uint64_t value) {
  std::uint64_t seen = highest.load(std::memory_order_relaxed);
  while (seen < value && !highest.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

}  // namespace

void Gauge::add(std::uint64_t count) {
  raise_to(highest_, now_.fetch_add(count, std::memory_order_relaxed) + count);
}

void Stats::saw_in_flight(std::uint64_t count) {
  raise_to(max_requests_in_flight, count);
}

void Stats::copy_to(HawserEmuStats& out) const {
  for (std::size_t i = 0; i < calls.size(); ++i) out.calls[i] = calls[i];
  out.faults_applied = faults_applied;
  out.registrations_made = registrations_made;
  out.max_requests_in_flight = max_requests_in_flight;
  out.pages_in_use = pages.now();
  out.max_pages_in_use = pages.highest();
  out.pool_exhausted = pool_exhausted;
  out.pool_starved_us = pool_starved_us;
  out.slots_leaked = slots_leaked;
  out.sends_abandoned = sends_abandoned;
  out.deregistered_in_flight = deregistered_in_flight;
  out.bytes_sent = bytes_sent;
  out.bytes_received = bytes_received;
  out.fragments = fragments;
  out.bad_peers = bad_peers;
  out.overlapping_setups = overlapping_setups;
  out.host_receive_polls = host_receive_polls;
}

}  // namespace emu
