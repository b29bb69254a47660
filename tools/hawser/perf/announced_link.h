// The link of the client that was announced, among whoever comes to its port.
#pragma once

#include <string>

#include <hawser/engine.h>

#include "base/result.h"
#include "perf/watch.h"

namespace hawser {

// What a client proves itself with: told over the session, which strangers do not hear.
Result<std::string> make_secret();

// Waits for the link whose first notification is the secret; all others are closed, and the wait
// goes on.
Result<Link> accept_announced(Acceptor& acceptor, const std::string& secret,
                              const WaitBound& bound);

}  // namespace hawser
