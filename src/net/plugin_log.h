// What plugins print, in hawser's log, with the plugin's name in front of each line.
#pragma once

#include <cstddef>

#include "net/abi/types.h"

namespace hawser {

// At most this many differently named plugins get a log function of their own; the rest share one.
inline constexpr std::size_t kMaxPluginNames = 64;
inline constexpr std::size_t kMaxPluginNameBytes = 63;

// A log function never carries a context, so each plugin name has a function of its own. It is
// thread-safe, cuts long lines, and stays valid for the life of the process: the threads of a
// plugin may log after its Net has gone. Never null.
struct PluginLog {
  const char* name;  // as long-lived as the function
  abi::LogFunction function;
};

// The same name gives the same log. Thread-safe.
PluginLog plugin_log(const char* name);

}  // namespace hawser
