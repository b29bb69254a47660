// Why the process ends, where a plugin calls exit(): said on stderr, because nothing else of the
// process will have the time to say it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <hawser/exit_cause.h>

namespace hawser {

class CallJournal;

// Process-wide, because exit handlers are. All of it is thread-safe.
namespace exit_explainer {

inline constexpr std::size_t kMaxJournals = 16;  // at a time; more are not looked at
inline constexpr std::size_t kMaxPlugins = 64;   // ever

// From now on, and until it is removed, an exit() looks at the calls of this journal.
void add(const CallJournal* journal);
void remove(const CallJournal* journal);

// From now on, and for good, since a plugin's threads outlive its Net: an exit() by code of the
// library that `address` is in is this plugin's. `plugin` lives as long as the process.
void add_plugin(const char* plugin, const void* address);

// The process is the plugin's own: no advice to isolate it.
void set_isolated();

}  // namespace exit_explainer

// Lines for people whose plugin of this name has ended the process: usual causes, where to look.
std::vector<std::string> exit_advice(const std::string& plugin);

}  // namespace hawser
