// Operations that wait for their users' streams. Nothing of them is begun before: no other transfer
// ever stands behind one of them, in a channel, in a slot or at the peer.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "engine/operations/operation.h"
#include "gpu/event.h"

namespace hawser::engine {

// Guarded by the mutex of whoever owns it, but for any().
class StreamGate {
 public:
  using Operation = std::variant<std::shared_ptr<Outgoing>, std::shared_ptr<Inbound>>;
  struct Passed {
    Operation operation;
    Status there;  // or why that cannot be known
  };

  // Those of one stream pass in this order.
  void add(std::shared_ptr<GpuEvent> after, Operation operation);
  // Those whose streams have come so far.
  std::vector<Passed> take_passed();
  bool any() const { return count_.load(std::memory_order_relaxed) > 0; }
  void clear();

 private:
  struct Waiting {
    std::shared_ptr<GpuEvent> after;
    Operation operation;
  };
  std::map<GpuEvent::Stream, std::deque<Waiting>> streams_;
  std::atomic<std::size_t> count_{0};
};

}  // namespace hawser::engine
