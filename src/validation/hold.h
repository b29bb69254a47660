// For tests of what a hung process does to its peer: stops for ever at a named step.
#pragma once

#include <string_view>

namespace hawser {

// Where HAWSER_HOLD_AT names `step`: says so in the log and never returns.
void hold_at(std::string_view step);

}  // namespace hawser
