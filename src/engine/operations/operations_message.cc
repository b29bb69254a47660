// Sends and receives, which meet by their tags.
#include <fmt/core.h>

#include <utility>

#include "engine/operations/operations.h"
#include "gpu/gpu.h"

namespace hawser::engine {
namespace {

Error too_small(std::uint64_t message, std::uint64_t room) {
  return Error(Code::invalid_argument,
               fmt::format("a message of {} bytes met a receive with room for {}", message, room));
}

}  // namespace

// Small messages of host memory travel with their announcement.
Operations::State Operations::send(const Link& link, std::uint64_t tag, Request request) {
  State transfer;
  EndedTransfers ended(going_on_, bell_);
  const std::uint64_t bytes = request.blocks.total();
  const bool eager =
      bytes == 0 || (bytes <= kEagerBytes && request.region->gpu() == nullptr && !request.after);
  auto message = std::make_shared<Message>();
  if (eager && bytes > 0) {
    auto collected = copies_.collect(request.blocks, *request.region.get());
    if (!collected.ok()) return std::make_shared<TransferState>(collected.error());
    message->bytes = *std::move(collected);
  }
  {
    const Lock lock(mutex_);
    if (auto refused = refused_if_ended()) return refused;
    if (request.only_if_room && !has_room_there(Kept::message))
      return std::make_shared<TransferState>(no_room(Kept::message));
    const std::uint64_t op = ++last_op_;
    transfer = make_transfer(link, op, bytes);
    message->record = wire::Send{op, tag, bytes, eager, message->bytes};
    const auto at =
        sends_.emplace(op, PendingSend{op, std::move(request.blocks), std::move(request.region),
                                       std::move(request.after), transfer});
    begin(op, at.first->second.region, request.timeout_ms);
    when_there_is_room(Kept::message, op, {std::move(message), nullptr}, ended);
  }
  wake_(0);
  return transfer;
}

void Operations::stop_send(PendingSend& send, Error why, EndedTransfers& ended) {
  if (send.stopped) return;
  if (take_back(Kept::message, send.op)) return end_send(send.op, std::move(why), ended);
  send.stopped = std::move(why);
  post(wire::Withdraw{send.op});
}

void Operations::end_send(std::uint64_t op, Status outcome, EndedTransfers& ended) {
  const auto at = sends_.find(op);
  forget(op, at->second.region, at->second.ending);
  if (outcome.ok()) at->second.transfer->add_done(at->second.blocks.total());
  ended.add(*at->second.transfer, std::move(outcome));
  sends_.erase(at);
}

Operations::State Operations::receive(const Link& link, std::uint64_t tag, Request request) {
  State transfer;
  EndedTransfers ended(going_on_, bell_);
  {
    const Lock lock(mutex_);
    if (auto refused = refused_if_ended()) return refused;
    auto inbound = std::make_shared<Inbound>();
    inbound->op = ++last_op_;
    inbound->tag = tag;
    inbound->blocks = std::move(request.blocks);
    inbound->region = std::move(request.region);
    inbound->after = std::move(request.after);
    inbound->transfer = transfer = make_transfer(link, inbound->op, inbound->blocks.total());
    inbound_.emplace(inbound->op, inbound);
    begin(inbound->op, inbound->region, request.timeout_ms);
    if (const std::optional<Announced> message = tags_.add(inbound)) {
      give_back(Kept::message);
      meet(inbound, *message, ended);
    }
  }
  wake_(0);
  return transfer;
}

// An eager message for a GPU is asked for again: it takes the way of all data there.
void Operations::meet(const std::shared_ptr<Inbound>& receive, const Announced& message,
                      EndedTransfers& ended) {
  if (message.total > receive->blocks.total()) {
    fail_meeting(receive, message, too_small(message.total, receive->blocks.total()), ended);
    return;
  }
  receive->transfer->set_bytes(message.total);
  if (message.total == 0 || (message.eager && receive->region->gpu() == nullptr)) {
    if (message.total > 0) {
      const Status put = copies_.spread(message.data, receive->blocks, *receive->region.get());
      if (!put.ok()) {
        fail_meeting(receive, message, put.error(), ended);
        return;
      }
    }
    receive->transfer->add_done(message.total);
    post(wire::Finished{message.peer_op});
    end_inbound(receive, ended);
    return;
  }
  receive->peer_op = message.peer_op;
  receive->bytes = message.total;
  start(receive, ended);
}

// Both fail.
void Operations::fail_meeting(const std::shared_ptr<Inbound>& receive, const Announced& message,
                              Error why, EndedTransfers& ended) {
  receive->broken = true;
  receive->error = std::move(why);
  post_fault(message.peer_op, *receive->error);
  end_inbound(receive, ended);
}

// ---- what the peer says of them ----

Status Operations::on(const wire::Send& send, EndedTransfers& ended) {
  HAWSER_TRY(take_room_here(Kept::message));
  Announced message{
      send.sender_op, send.total, send.eager, {send.data.begin(), send.data.end()}, {}};
  HAWSER_ASSIGN(const std::shared_ptr<Inbound> receive, tags_.add(send.tag, message));
  if (receive == nullptr) return {};
  give_back(Kept::message);
  meet(receive, message, ended);
  return {};
}

Status Operations::on(const wire::Ready& ready, EndedTransfers& ended) {
  const auto at = sends_.find(ready.op);
  if (at == sends_.end()) {
    if (ready.op == 0 || ready.op > last_op_)
      return Error(Code::protocol, "a receive met a send that there is not");
    post_fault(ready.sender_op, Error(Code::timeout, "the sender has ended the message by force"));
    return {};
  }
  PendingSend& send = at->second;
  if (send.stopped) {
    post_fault(ready.sender_op, Error(Code::cancelled, "the sender took the message back"));
    end_send(ready.op, *std::exchange(send.stopped, std::nullopt), ended);
    return {};
  }
  auto reply = std::make_shared<Outgoing>(Outgoing::Kind::reply, std::move(send.blocks));
  reply->own_op = send.op;
  reply->peer_op = ready.sender_op;
  reply->region = std::move(send.region);
  reply->transfer = std::move(send.transfer);
  reply->ending = send.ending;
  const std::shared_ptr<GpuEvent> after = std::move(send.after);
  sends_.erase(at);
  outgoing_.emplace(reply->own_op, reply);
  replies_.emplace(reply->peer_op, reply);
  start(reply, after, ended);
  return {};
}

Status Operations::on(const wire::Finished& finished, EndedTransfers& ended) {
  if (finished.op == 0 || finished.op > last_op_)
    return Error(Code::protocol, "a send was received that there is not");
  if (sends_.contains(finished.op)) end_send(finished.op, {}, ended);  // else it ended by force
  return {};
}

Status Operations::on(const wire::Withdraw& withdraw, EndedTransfers&) {
  if (notifications_.withdraw(withdraw.sender_op)) give_back(Kept::notification);
  if (tags_.remove_message(withdraw.sender_op))
    post_fault(withdraw.sender_op, Error(Code::cancelled, "taken back before it met a receive"),
               Kept::message);
  return {};
}

}  // namespace hawser::engine
