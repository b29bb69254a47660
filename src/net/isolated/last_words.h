// How the process of a plugin comes to its end, written down by itself.
#pragma once

#include "net/isolated/control_memory.h"

namespace hawser::isolate {

// From now on an exit() and a deadly signal of this process are noted in `fields`, with the thread.
// Once per process, but again after a library was loaded: what is asked for last is done first at
// exit(). `fields` must live as long as the process.
void leave_last_words(ControlFields& fields);
void leave_last_words_before_others();

}  // namespace hawser::isolate
