// Checks of what a user asked of a run, the same for every command.
#pragma once

#include <fmt/core.h>

#include "base/result.h"
#include "side/environment.h"
#include "side/side.h"

namespace hawser {

// A number's option, and what it takes. Code::invalid_argument.
template <class T>
Status in_range(const char* option, T value, T min, T max) {
  if (value >= min && value <= max) return {};
  return Error(Code::invalid_argument,
               fmt::format("{}: {}, want {} to {}", option, value, min, max));
}

// Address and timeout.
Status check_side(const SideOptions& options);
// The same with the port base that the environment has, where none was given.
Status complete_port_base(SideOptions& options);

// What to open for it.
EnvironmentChoice environment_choice(const OneDeviceOptions& options);

}  // namespace hawser
