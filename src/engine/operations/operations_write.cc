// Writes, and what else takes the way of data that goes out: replies.
#include <fmt/core.h>

#include <utility>

#include "engine/operations/operations.h"
#include "gpu/event.h"

namespace hawser::engine {

Operations::State Operations::write(const Link& link, Request request, const wire::Key& key,
                                    std::string notification) {
  if (request.blocks.total() == 0 && notification.empty()) return done_at_once();
  State transfer;
  EndedTransfers ended(going_on_, bell_);
  const std::uint64_t bytes = request.blocks.total();
  {
    const Lock lock(mutex_);
    if (auto refused = refused_if_ended()) return refused;
    if (auto refused = refused_if_draining(key)) return refused;
    auto op = std::make_shared<Outgoing>(Outgoing::Kind::write, std::move(request.blocks));
    op->own_op = ++last_op_;
    op->key = key;
    op->region = std::move(request.region);
    op->tracked = !notification.empty();
    op->transfer = transfer = make_transfer(link, op->own_op, bytes);
    if (op->tracked) {
      auto message = std::make_shared<Message>();
      message->bytes = bytes_of(notification);
      message->record = wire::Begin{op->own_op, bytes, message->bytes};
      message->op = op;
      outbox_.post(std::move(message));
    }
    outgoing_.emplace(op->own_op, op);
    open_writes_.insert(op->own_op);
    drains_.begin(key);
    begin(op->own_op, op->region, request.timeout_ms);
    start(op, request.after, ended);
  }
  wake_(bytes);
  return transfer;
}

void Operations::start(const std::shared_ptr<Outgoing>& op, const std::shared_ptr<GpuEvent>& after,
                       EndedTransfers& ended) {
  const Result<bool> there = after == nullptr ? Result<bool>(true) : after->finished();
  if (!there.ok())
    stop_outgoing(op, there.error(), ended);
  else if (*there)
    outbox_.add(op);
  else
    gate_.add(after, op);
}

void Operations::find_target(const wire::WriteChunk& chunk, Target& target) {
  target.op = chunk.sender_op;
  target.reply = false;
  target.tracked = chunk.tracked;
  Result<RegionUse> use = regions_.use(chunk.key, Rights::write);
  std::optional<Error> objection;
  if (!use.ok()) objection = use.error();
  for (std::size_t i = 0; !objection && i < chunk.decoded.size(); ++i) {
    const wire::Piece piece = chunk.decoded[i];
    if (!RegionTable::inside(*use->get(), piece.offset, piece.bytes))
      objection = Error(Code::invalid_argument,
                        fmt::format("a write of {} bytes at offset {} of a region of {}",
                                    piece.bytes, piece.offset, (*use)->range().bytes));
    else
      target.pieces.push_back({piece.offset, 0, piece.bytes});
  }
  if (!objection)
    target.region = std::move(*use);
  else
    refuse(target, target.op, *objection);
}

// A chunk of a write, or of a message, was refused.
void Operations::take_refusal(const wire::Fault& fault) {
  EndedTransfers ended(going_on_, bell_);
  {
    const Lock lock(mutex_);
    const auto at = outgoing_.find(fault.op);
    if (at == outgoing_.end() || at->second->kind == Outgoing::Kind::notify) return;
    stop_outgoing(std::shared_ptr(at->second),
                  Error(fault.code, std::string(fault.text)).within("the peer"), ended);
  }
  if (outbox_.has_messages()) wake_(0);
}

// What is on its way is waited for: until then its memory is read. Where that is all, the peer will
// have it, and say so to its user: nobody can take it back. A read's asker has heard that already.
void Operations::stop_outgoing(const std::shared_ptr<Outgoing>& op, Error why,
                               EndedTransfers& ended, Stopping how) {
  if (op->stopped) return;
  if (op->kind == Outgoing::Kind::notify) {
    if (held_notifications_.erase(op->own_op) == 0) return;  // too late
  } else if (how == Stopping::withdrawn && op->own_op != 0 && op->all_sent()) {
    return;
  }
  outbox_.drop(*op);
  op->stopped = std::move(why);
  finish_if_done(op, ended);
}

void Operations::finish_if_done(const std::shared_ptr<Outgoing>& op, EndedTransfers& ended) {
  if (!op->ended && op->finished()) finish(op, ended);
}

void Operations::finish(const std::shared_ptr<Outgoing>& op, EndedTransfers& ended) {
  op->ended = true;
  if (op->transfer) ended.add(*op->transfer, op->stopped ? Status(*op->stopped) : Status());
  if (op->stopped && op->kind == Outgoing::Kind::reply) post_fault(op->peer_op, *op->stopped);
  if (op->stopped && op->tracked) post(wire::Withdraw{op->own_op});
  if (op->own_op != 0) forget(op->own_op, op->region, op->ending);
  if (op->kind == Outgoing::Kind::reply) {
    if (op->own_op == 0) served_.erase({op->region.get(), op->peer_op});
    replies_.erase(op->peer_op);
  }
  op->region.reset();
  if (op->kind == Outgoing::Kind::write) {
    open_writes_.erase(op->own_op);
    release_notifications();
    count_down(op->key);
  }
  if (op->own_op != 0) outgoing_.erase(op->own_op);
}

}  // namespace hawser::engine
