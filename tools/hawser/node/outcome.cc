#include <algorithm>

#include "node/report.h"

namespace hawser::node {
namespace {

LaneCount& operator+=(LaneCount& sum, const LaneCount& more) {
  sum.iterations += more.iterations;
  sum.bytes += more.bytes;
  return sum;
}

}  // namespace

bool passed(const NodeOutcome& outcome, const Accounts& accounts) {
  const bool all = std::all_of(outcome.gpus.begin(), outcome.gpus.end(),
                               [](const GpuOutcome& gpu) { return gpu.passed(); });
  return all && !outcome.gpus.empty() && accounts.agree && !outcome.interrupted;
}

RunStatus status_of(const NodeOutcome& outcome, const Accounts& accounts) {
  if (passed(outcome, accounts)) return RunStatus::passed;
  const bool met = std::any_of(outcome.gpus.begin(), outcome.gpus.end(),
                               [](const GpuOutcome& gpu) { return gpu.met; });
  return met ? RunStatus::failed : RunStatus::could_not_run;
}

const char* role_name(Role role) {
  return role == Role::server ? "server" : "client";
}

const char* channel_state_name(ChannelState state) {
  switch (state) {
    case ChannelState::connecting:
      return "connecting";
    case ChannelState::up:
      return "up";
    case ChannelState::down:
      return "down";
  }
  return "?";
}

double seconds_of(const NodeOutcome& outcome) {
  double start = 0, end = 0;
  bool any = false;
  for (const GpuOutcome& gpu : outcome.gpus) {
    if (gpu.end_s <= gpu.start_s) continue;
    start = any ? std::min(start, gpu.start_s) : gpu.start_s;
    end = std::max(end, gpu.end_s);
    any = true;
  }
  return end - start;
}

double gigabytes_per_second(std::uint64_t bytes, double seconds) {
  return seconds > 0 ? static_cast<double>(bytes) / seconds / 1e9 : 0;
}

LaneCount sum_sent(const NodeOutcome& outcome) {
  LaneCount sum;
  for (const GpuOutcome& gpu : outcome.gpus) sum += gpu.sent;
  return sum;
}

LaneCount sum_received(const NodeOutcome& outcome) {
  LaneCount sum;
  for (const GpuOutcome& gpu : outcome.gpus) sum += gpu.received;
  return sum;
}

}  // namespace hawser::node
