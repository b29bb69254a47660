#include "perf/steps.h"

#include <algorithm>

#include "bootstrap/wire.h"

namespace hawser {
namespace {

constexpr std::uint64_t kFirstTryBytes = 1 << 20;
constexpr std::uint64_t kMostAtFirst = 200;
// From one try to the next: a first try is short, and tells little.
constexpr double kMostGrowth = 30;
constexpr std::uint64_t kWarmupShare = 8;

}  // namespace

Calibration::Calibration(std::uint64_t message_bytes, std::uint64_t duration_ns,
                         std::uint64_t bytes_limit)
    : duration_ns_(duration_ns),
      most_(bytes_limit == 0 ? wire::kMaxPerfMessages
                             : std::max<std::uint64_t>(1, bytes_limit / message_bytes)),
      messages_(std::clamp<std::uint64_t>(kFirstTryBytes / message_bytes, 1, kMostAtFirst)) {
  messages_ = std::min(messages_, most_);
}

void Calibration::took(std::uint64_t elapsed_ns) {
  const double wanted = static_cast<double>(duration_ns_) /
                        static_cast<double>(std::max<std::uint64_t>(1, elapsed_ns));
  const double next = static_cast<double>(messages_) * std::min(wanted, kMostGrowth);
  const bool long_enough = wanted < 2;
  messages_ = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(next), 1, most_);
  settled_ = long_enough || messages_ == most_ || ++tries_ == kMaxTries;
}

std::uint64_t warmup_of(std::uint64_t messages) {
  return 1 + messages / kWarmupShare;
}

}  // namespace hawser
