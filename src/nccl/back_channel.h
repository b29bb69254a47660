// The receiver's word to the sender: which receives wait, one after the other.
#pragma once

#include <memory>

#include "nccl/framing.h"
#include "nccl/registered_block.h"
#include "nccl/ring.h"
#include "net/net.h"

namespace hawser::plugin {

// Connects back to the sender, and says things in order. Not thread-safe; never blocks.
class BackChannel {
 public:
  // The gate opens with this once the connection is there.
  static Result<std::unique_ptr<BackChannel>> open(Net& net, int device, const Handle& handle,
                                                   const GateOpening& opening);

  ~BackChannel() { places_.unregister(); }

  bool full() const { return waiting_.full(); }
  void announce(const Announcement& announcement);  // not full()

  // Goes on with what is left to do.
  Status progress();

 private:
  static constexpr std::size_t kMaxInFlight = 16;

  explicit BackChannel(std::unique_ptr<Connector> connector) : connector_(std::move(connector)) {}
  Status connect();
  Status say_next();
  Status finish();

  RegisteredBlock places_;
  std::unique_ptr<Connector> connector_;
  std::unique_ptr<SendComm> comm_;
  Ring<RecordBytes, kMaxRequests + 1> waiting_;
  Ring<Request*, kMaxInFlight> in_flight_;
  std::size_t next_place_ = 0;
};

}  // namespace hawser::plugin
