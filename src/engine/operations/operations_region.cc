// Regions that are being deregistered: what still uses them.
#include <utility>

#include "engine/operations/operations.h"

namespace hawser::engine {

void Operations::drain(const wire::Key& key, std::function<void()> drained) {
  {
    const Lock lock(mutex_);
    if (!ended_) {
      if (drains_.wait(key, std::exchange(drained, nullptr))) post(wire::Drain{key});
    }
  }
  if (drained) {
    drained();
    return;
  }
  wake_(0);
}

Status Operations::on(const wire::Drained& drained, EndedTransfers&) {
  const std::vector<Drains::Drained> waiting = drains_.answered(drained.key);
  if (waiting.empty()) return Error(Code::protocol, "a region was drained that is not draining");
  for (const Drains::Drained& tell : waiting) tell();
  return {};
}

Status Operations::on(const wire::Drain& drain, EndedTransfers&) {
  if (drains_.forbid(drain.key)) return {};
  auto nothing_left = std::make_shared<Message>();
  nothing_left->record = wire::Drained{drain.key};
  post_answer(std::move(nothing_left));
  return {};
}

// A write to that region has ended, or a read of it need not wait any more.
void Operations::count_down(const wire::Key& key) {
  if (drains_.end(key)) post(wire::Drained{key});
}

Operations::State Operations::refused_if_draining(const wire::Key& key) const {
  if (!drains_.forbids(key)) return nullptr;
  return std::make_shared<TransferState>(
      Error(Code::invalid_argument, "the region is being deregistered by its owner")
          .within("the peer"));
}

}  // namespace hawser::engine
