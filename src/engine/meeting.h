// How two engines meet: the client's Hello, the server's Welcome, and what follows from them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <hawser/link.h>

#include "base/clock.h"
#include "base/result.h"
#include "engine/control_line.h"
#include "engine/link_core.h"
#include "engine/wire.h"

namespace hawser::engine {

class EngineCore;

// What one side brings.
struct Party {
  std::vector<int> devices;  // of the Net
  LinkOptions options;
};
Result<Party> make_party(EngineCore& engine, const LinkOptions& options);

// The server's decision; the error goes to the client as a Refuse.
struct Agreement {
  wire::Welcome welcome;
  LinkTerms terms;
};
Result<Agreement> agree(EngineCore& engine, const Party& party, const wire::Hello& hello,
                        const std::string& peer);

// Connects, says Hello, gets the Welcome, as control::call() does.
struct Met {
  std::shared_ptr<ControlLine> control;
  LinkTerms terms;
};
Result<Met> meet(EngineCore& engine, const Party& party, const std::string& address, int port,
                 const Deadline& deadline);

}  // namespace hawser::engine
