// How a plugin's process ended, in words.
#pragma once

#include <string>
#include <vector>

#include "net/isolated/child.h"
#include "net/isolated/control_memory.h"

namespace hawser::isolate {

// "the plugin X called exit(7) in irecv(...) on device 0 for channel 1"; "... died of SIGSEGV in
// test(...)"; "the process of plugin X was killed by SIGKILL; in progress were: ...". By what the
// process has left behind, and then by the kernel. `name` serves where no call tells the plugin's;
// `last_words` is what the plugin said before.
Error describe_ending(ControlMemory& control, const ChildEnd& end, const std::string& name,
                      const std::vector<std::string>& last_words);

// "the plugin X is stuck in test(...) on device 0 for channel 1, since 5.0 s"
Error describe_stuck(const CurrentCall& call);

}  // namespace hawser::isolate
