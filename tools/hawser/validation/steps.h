// The named steps of a validation, for whoever must be there when one is reached: a test that stops
// a process at it.
#pragma once

#include <string_view>

namespace hawser {

// Called from whichever thread gets there, and may never come back.
using StepHook = void (*)(std::string_view step);

// Before a validation begins. Null, which it is at first: nobody is told.
void set_step_hook(StepHook hook);
void reached(std::string_view step);

}  // namespace hawser
