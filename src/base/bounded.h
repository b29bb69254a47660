// Work that may never come back (a call of a plugin, say), waited for with a bound.
#pragma once

#include <functional>

#include "base/clock.h"
#include "base/result.h"

namespace hawser {

// Runs `work` in a thread of its own, named "hw-bounded", and waits till it is back, `give_up` at
// most. False: it is still in there, and what it captured must stay alive. An error: there was no
// thread to be had. What `work` captured has been let go when this returns true.
Result<bool> run_bounded(std::function<void()> work, Milliseconds give_up);

}  // namespace hawser
