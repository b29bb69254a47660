// How many sockets connections that come in may have beyond their first.
#pragma once

#include <memory>

#include "base/budget.h"

namespace hawser::tcp {

// A quarter of the process's descriptors, for all that come to a Net: where they are used up, a
// connection gets one socket, and works. So whoever makes many does not use up what the first
// sockets of others need. Thread-safe.
class FurtherSockets {
 public:
  FurtherSockets();

  // The sockets that a connection may have, of so many that it could, and its right to them, to be
  // kept as long as it.
  struct Grant {
    unsigned flows = 1;
    Budget::Share share;
  };
  Grant grant(unsigned flows);

 private:
  const std::shared_ptr<Budget> budget_;
};

}  // namespace hawser::tcp
