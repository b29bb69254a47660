// Connected pairs of comms, for tests of whatever stands on a Net.
#pragma once

#include <memory>

#include "base/clock.h"
#include "net/net.h"

namespace hawser::test {

inline constexpr Milliseconds kPairPatience{20000};
inline Deadline soon() {
  return Deadline::after(kPairPatience);
}

// Polls until there is a comm, an error, or Code::timeout.
Result<std::unique_ptr<ReceiveComm>> wait_accepted(Listener& listener, Deadline deadline);
Result<std::unique_ptr<SendComm>> wait_connected(Connector& connector, Deadline deadline);

// Both ends of one connection. The Net outlives it.
struct NetPair {
  std::unique_ptr<SendComm> sender;
  std::unique_ptr<ReceiveComm> receiver;
};

// Listens on and connects from `device`, in this thread, polling both ends in turn.
Result<NetPair> connect_pair(Net& net, int device, Deadline deadline);
// Two Nets, one for each end: what two processes would do.
Result<NetPair> connect_pair(Net& receiving, int receiving_device, Net& sending, int sending_device,
                             Deadline deadline);

}  // namespace hawser::test
