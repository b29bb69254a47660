#include "control/pulse.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

namespace hawser::control {

Status Pulse::check(TimePoint now) {
  if (now - line_.heard_at() > times_.liveness)
    return Error(Code::timeout,
                 fmt::format("{} has been silent for {} s: it hangs or is stopped, or the network "
                             "between is cut",
                             line_.peer(), std::chrono::duration<double>(times_.liveness).count()));
  if (now - beat_at_ < times_.heartbeat) return {};
  beat_at_ = now;
  // Where something waits the peer does not read; what follows would tell it nothing new.
  if (!line_.wants_to_write()) line_.send(beat_);
  return {};
}

int Pulse::timeout_ms(TimePoint now, int most) const {
  const auto next = std::min(beat_at_ + times_.heartbeat, line_.heard_at() + times_.liveness);
  const auto left = std::chrono::ceil<Milliseconds>(next - now) + Milliseconds(1);
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, most));
}

}  // namespace hawser::control
