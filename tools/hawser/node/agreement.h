// How the two ends of a GPU's link settle what they will do.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "node/message.h"
#include "node/messenger.h"
#include "node/state.h"

namespace hawser::node {

// A link whose ends have agreed.
struct Agreed {
  std::unique_ptr<Messenger> messenger;
  Settled settled;
};

// The server's decision about a client. An error is what the client is refused with.
Status judge(const Hello& said, const Hello& own);
// The client's about a plan. Code::protocol: not one to what was asked.
Status judge(const Plan& plan, const Hello& own);
// "bytes 1024, not 2048; both ways, not forward": in what the plan differs; empty: in nothing.
std::string differences(const Terms& ruling, const Terms& own);

// Waits for the link of GPU `gpu`, or makes it, and agrees. A server refuses whoever does not fit,
// and waits on; `deadline` bounds all of it.
Result<Agreed> agree(NodeState& state, std::size_t gpu, const Deadline& deadline);

}  // namespace hawser::node
