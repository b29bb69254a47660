// Regions that are being deregistered: what still uses them.
#include <utility>

#include "engine/operations/operations.h"

namespace hawser::engine {

void Operations::stop(const LocalRegion& region, const Error& why) {
  EndedTransfers ended(bell_);
  {
    const Lock lock(mutex_);
    std::vector<std::uint64_t> own;
    for (const auto& [op, outgoing] : outgoing_)
      if (outgoing->region.get() == &region) own.push_back(op);
    for (const auto& [op, send] : sends_)
      if (send.region.get() == &region) own.push_back(op);
    for (const auto& [op, inbound] : inbound_)
      if (inbound->region.get() == &region) own.push_back(op);
    for (const std::uint64_t op : own) stop_op(op, why, ended);
    std::vector<std::shared_ptr<Outgoing>> served;
    for (const auto& [op, reply] : replies_)
      if (reply->region.get() == &region) served.push_back(reply);
    for (const auto& reply : served) stop_outgoing(reply, why, ended);
  }
  wake_(0);
}

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
  std::size_t under_way = 0;
  for (const auto& [op, outgoing] : outgoing_)
    if (outgoing->kind == Outgoing::Kind::write && outgoing->key == drain.key) ++under_way;
  for (const auto& [op, inbound] : inbound_)
    if (inbound->held && !inbound->peer_op && inbound->key == drain.key) ++under_way;
  if (under_way > 0)
    drains_.forbid(drain.key, under_way);
  else
    post(wire::Drained{drain.key});
  return {};
}

// A write to that region has ended, or a read of it need not wait any more.
void Operations::count_down(const wire::Key& key) {
  if (drains_.count_down(key)) post(wire::Drained{key});
}

Operations::State Operations::refused_if_draining(const wire::Key& key) const {
  if (!drains_.forbids(key)) return nullptr;
  return std::make_shared<TransferState>(
      Error(Code::invalid_argument, "the region is being deregistered by its owner")
          .within("the peer"));
}

}  // namespace hawser::engine
