// One step of a run, on all its channels: in a thread each, at once, or one after another. A thread
// that never comes back (a plugin may hang in a call) does not hold the others up.
#pragma once

#include <functional>
#include <vector>

#include "base/clock.h"
#include "validation/outcome.h"

namespace hawser {

// What a channel does in the step; keeps within its own deadline unless a plugin hangs.
// Copies share nothing but what they capture, which must stay alive as long as any copy.
using ChannelTask = std::function<ChannelStep(std::size_t channel)>;

struct PhaseResult {
  std::size_t channel = 0;
  ChannelStep step;
  bool abandoned = false;  // its thread is still in there: never touch what it may use
};

// Runs `task` for each of `channels`, in threads named hw-ch<N>, until all are back or `give_up`
// expires. `serialized`: the next begins when the one before is back; each has the whole bound, and
// after one that was abandoned the rest are not begun (they fail with Code::cancelled).
std::vector<PhaseResult> run_phase(const std::vector<std::size_t>& channels, bool serialized,
                                   const ChannelTask& task, Milliseconds give_up);

}  // namespace hawser
