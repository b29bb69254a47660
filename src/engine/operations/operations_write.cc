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
    if (request.only_if_room && !notification.empty() && !has_room_there(Kept::notification))
      return std::make_shared<TransferState>(no_room(Kept::notification));
    auto op = std::make_shared<Outgoing>(Outgoing::Kind::write, std::move(request.blocks));
    op->own_op = ++last_op_;
    op->key = key;
    op->region = std::move(request.region);
    op->tracked = !notification.empty();
    op->transfer = transfer = make_transfer(link, op->own_op, bytes);
    outgoing_.emplace(op->own_op, op);
    open_writes_.insert(op->own_op);
    drains_.begin(key);
    begin(op->own_op, op->region, request.timeout_ms);
    if (notification.empty())
      start(op, request.after, ended);
    else
      announce(op, notification, std::move(request.after), ended);
  }
  wake_(bytes);
  return transfer;
}

// Neither the notification nor the data goes before there is room for the former: the peer counts
// what has come of the data.
void Operations::announce(const std::shared_ptr<Outgoing>& op, const std::string& notification,
                          std::shared_ptr<GpuEvent> after, EndedTransfers& ended) {
  auto message = std::make_shared<Message>();
  message->bytes = bytes_of(notification);
  message->record = wire::Begin{op->own_op, op->blocks.total(), message->bytes};
  message->op = op;
  when_there_is_room(Kept::notification, op->own_op, {std::move(message), std::move(after)}, ended);
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

Status Operations::find_target(const wire::WriteChunk& chunk, Target& target) {
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
  if (objection) {
    refuse(target, target.op, *objection);
    return {};
  }
  if (chunk.tracked) {
    const Lock lock(mutex_);
    HAWSER_TRY(notifications_.expect(chunk.sender_op, room_here_.left(Kept::notification)));
  }
  target.region = std::move(*use);
  return {};
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
  if (take_back(Kept::notification, op->own_op)) {
    op->tracked = false;
  } else if (op->kind == Outgoing::Kind::notify) {
    if (held_notifications_.erase(op->own_op) == 0) return;  // too late
    room_there_.give_back(Kept::notification);
    let_through(Kept::notification, ended);
  } else if (how == Stopping::withdrawn && op->own_op != 0 && op->all_sent()) {
    return;
  }
  outbox_.drop(*op);
  op->stopped = std::move(why);
  finish_if_done(op, ended);
}

void Operations::finish_if_done(const std::shared_ptr<Outgoing>& op, EndedTransfers& ended) {
  if (!op->ended && op->finished()) finish(op, ended);
  withdraw_if_over(*op);
}

// Behind all of its chunks, which may be on their way still where it has ended by force: the peer
// would keep for ever what it counts of them later.
void Operations::withdraw_if_over(Outgoing& op) {
  if (!op.ended || !op.stopped || !op.tracked) return;
  if (op.outstanding > 0 || op.unsent_messages > 0) return;
  op.tracked = false;
  post(wire::Withdraw{op.own_op});
}

void Operations::finish(const std::shared_ptr<Outgoing>& op, EndedTransfers& ended) {
  op->ended = true;
  if (op->transfer) ended.add(*op->transfer, op->stopped ? Status(*op->stopped) : Status());
  const bool of_read = op->kind == Outgoing::Kind::reply && op->own_op == 0;
  if (op->stopped && op->kind == Outgoing::Kind::reply)
    post_fault(op->peer_op, *op->stopped, of_read ? std::optional(Kept::read) : std::nullopt);
  else if (of_read)
    give_back(Kept::read);
  withdraw_if_over(*op);
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
