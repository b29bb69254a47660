// What waits: operations for their users' streams, regions for what peers do with them.
#include <utility>

#include "engine/operations.h"
#include "gpu/event.h"

namespace hawser::engine {

// ---- users' streams ----

void Operations::start(const std::shared_ptr<Outgoing>& op, const std::shared_ptr<GpuEvent>& after,
                       Endings& endings) {
  const Result<bool> there = after == nullptr ? Result<bool>(true) : after->finished();
  if (!there.ok())
    stop_outgoing(op, there.error(), endings);
  else if (*there)
    outbox_.add(op);
  else
    gate_.add(after, op);
}

void Operations::start(const std::shared_ptr<Inbound>& inbound, Endings& endings) {
  const std::shared_ptr<GpuEvent> after = std::move(inbound->after);
  const Result<bool> there = after == nullptr ? Result<bool>(true) : after->finished();
  inbound->held = true;
  if (!there.ok())
    stop_inbound(inbound, there.error(), endings);
  else if (*there)
    ask_for(inbound);
  else
    gate_.add(after, inbound);
}

// The peer is to send it now.
void Operations::ask_for(const std::shared_ptr<Inbound>& inbound) {
  inbound->held = false;
  if (!inbound->peer_op) {
    add_parts(inbound);
    count_down(inbound->key);
    return;
  }
  parts_.emplace(inbound->op, InboundPart{inbound, 0, inbound->bytes, 0});
  inbound->parts.push_back(inbound->op);
  post(wire::Ready{*inbound->peer_op, inbound->op});
}

// One that was stopped meanwhile is not begun any more.
void Operations::look_at_streams() {
  if (!gate_.any()) return;
  Endings endings(bell_);
  bool any = false;
  {
    const Lock lock(mutex_);
    for (const StreamGate::Passed& passed : gate_.take_passed()) {
      any = true;
      if (const auto* const out = std::get_if<std::shared_ptr<Outgoing>>(&passed.operation)) {
        if (!passed.there.ok())
          stop_outgoing(*out, passed.there.error(), endings);
        else if (!(*out)->stopped)
          outbox_.add(*out);
        continue;
      }
      const auto& inbound = std::get<std::shared_ptr<Inbound>>(passed.operation);
      if (!inbound->held) continue;
      if (passed.there.ok())
        ask_for(inbound);
      else
        stop_inbound(inbound, passed.there.error(), endings);
    }
  }
  if (any) wake_(outbox_.unsent_bytes());
}

// ---- regions that are being deregistered ----

void Operations::drain(const wire::Key& key, std::function<void()> drained) {
  {
    const Lock lock(mutex_);
    if (!ended_) {
      auto& waiting = drains_[key];
      if (waiting.empty()) post(wire::Drain{key});
      waiting.push_back(std::exchange(drained, nullptr));
    }
  }
  if (drained) {
    drained();
    return;
  }
  wake_(0);
}

Status Operations::on(const wire::Drained& drained, Endings&) {
  const auto waiting = drains_.extract(drained.key);
  if (waiting.empty()) return Error(Code::protocol, "a region was drained that is not draining");
  for (const auto& tell : waiting.mapped()) tell();
  return {};
}

Status Operations::on(const wire::Drain& drain, Endings&) {
  std::size_t under_way = 0;
  for (const auto& [op, outgoing] : outgoing_)
    if (outgoing->kind == Outgoing::Kind::write && outgoing->key == drain.key) ++under_way;
  for (const auto& [op, inbound] : inbound_)
    if (inbound->held && !inbound->peer_op && inbound->key == drain.key) ++under_way;
  if (under_way > 0)
    draining_[drain.key] = under_way;
  else
    post(wire::Drained{drain.key});
  return {};
}

// A write to that region has ended, or a read of it need not wait any more.
void Operations::count_down(const wire::Key& key) {
  const auto region = draining_.find(key);
  if (region == draining_.end() || --region->second > 0) return;
  draining_.erase(region);
  post(wire::Drained{key});
}

Operations::State Operations::refused_if_draining(const wire::Key& key) const {
  if (!draining_.contains(key)) return nullptr;
  return std::make_shared<TransferState>(
      Error(Code::invalid_argument, "the region is being deregistered by its owner")
          .within("the peer"));
}

}  // namespace hawser::engine
