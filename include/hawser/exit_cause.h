// What a program may still say when a plugin has ended it.
#pragma once

#include <string>

#include <hawser/export.h>

namespace hawser {

// In an exit handler of a program's that was registered before it opened a transport: "the plugin X
// (exit by its own thread)" or "the plugin X (exit in a call of hawser's)"; empty where no plugin
// is known to have called exit(). stderr has the whole story by then.
HAWSER_API std::string exit_cause();

}  // namespace hawser
