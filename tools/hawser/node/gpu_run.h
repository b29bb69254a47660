// The whole life of one GPU's link, in one thread.
#pragma once

#include <memory>

#include "node/agreement.h"
#include "node/lane.h"
#include "node/outcome.h"
#include "node/state.h"

namespace hawser::node {

// Used by one thread, which is the GPU's. Every wait is bounded by the timeout, again and again as
// long as something moves.
class GpuRun {
 public:
  GpuRun(std::shared_ptr<NodeState> state, std::size_t gpu);

  // Meets, agrees, moves, compares, tells, and leaves the outcome in the GPU's view.
  void run();

 private:
  struct Way {  // out or in
    std::unique_ptr<Messenger> messenger;
    SlotMemory slots;
  };

  Status go();
  Status meet();
  Status prepare();
  Status open(Way& way, Rights rights);
  Status exchange_ready();
  Status move();
  Status send();
  Status receive();
  Status exchange_summaries();
  Summary summary() const;
  void settle();
  void part();
  void end_badly(const Error& error);

  bool sends() const;
  bool receives() const;
  LaneWork work(bool out) const;
  Volume volume() const;
  double now_s() const;
  GpuView& view() { return state_->views[gpu_]; }
  const Plan& plan() const { return agreed_.settled.plan; }
  const Terms& terms() const { return plan().server.terms; }

  const std::shared_ptr<NodeState> state_;
  const std::size_t gpu_;
  GpuOutcome outcome_;
  Agreed agreed_;
  Link link_;
  Way out_, in_;
  SendLane::Remotes remotes_;
  std::optional<SendLane> send_lane_;
  std::optional<ReceiveLane> receive_lane_;
  bool peer_listens_ = false;  // for a message of the agreement, which may be a refusal
};

}  // namespace hawser::node
