// What plugins print, in hawser's log, with the plugin's name in front of each line.
#pragma once

#include <cstddef>

#include "base/log_limiter.h"
#include "net/abi/types.h"

namespace hawser {

// At most this many differently named plugins get a log function of their own; the rest share one.
inline constexpr std::size_t kMaxPluginNames = 64;
inline constexpr std::size_t kMaxPluginNameBytes = 63;

// A log function never carries a context, so each plugin name has a function of its own. It is
// thread-safe, cuts long lines, and stays valid for the life of the process: the threads of a
// plugin may log after its Net has gone. Never null. What it says is bounded by the limiter, but
// for what only HAWSER_LOG_LEVEL=debug shows: who asks for that wants every line.
struct PluginLog {
  const char* name;  // these live as long as the function
  abi::LogFunction function;
  LogLimiter* limiter;  // warnings are taken at every log level, for last_texts()
};

// The same name gives the same log. Thread-safe.
PluginLog plugin_log(const char* name);

// Says what the limiters of all plugins have counted and not told yet.
void flush_plugin_logs();
// A line for each plugin of which lines were counted and not told yet. Async-signal-safe: for
// processes that die without more ado.
void write_untold_plugin_lines(int fd);

}  // namespace hawser
