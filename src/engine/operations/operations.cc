// What all operations have in common: what channels do for them, what the peer says, their end.
#include "engine/operations/operations.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace hawser::engine {

Operations::Operations(const RegionTable& regions, EventBell& bell, Wake wake,
                       OperationsSetup setup)
    : regions_(regions),
      bell_(bell),
      budget_(std::move(setup.budget)),
      wake_(std::move(wake)),
      ending_(setup.ending),
      copies_(std::move(setup.page_file)),
      room_here_(setup.room_here),
      room_there_(setup.room_there),
      tags_(budget_),
      in_order_(budget_) {}

// ---- what goes out ----

void Operations::take_messages(wire::FrameBuilder& frame, std::vector<MessagePtr>& sent) {
  if (!outbox_.has_messages()) return;
  const Lock lock(mutex_);
  const std::size_t before = sent.size();
  outbox_.take_messages(frame, sent);
  unheard_ += sent.size() - before;
}

void Operations::take_chunks(const Outbox::Limits& limits, std::vector<OutChunk>& taken) {
  if (outbox_.unsent_bytes() == 0) return;
  const Lock lock(mutex_);
  outbox_.take_chunks(limits, taken);
}

void Operations::acknowledged(std::span<const OutChunk> chunks,
                              std::span<const MessagePtr> messages) {
  EndedTransfers ended(going_on_, bell_);
  {
    const Lock lock(mutex_);
    if (ended_) return;
    for (const OutChunk& chunk : chunks) {
      --chunk.op->outstanding;
      if (chunk.op->transfer) chunk.op->transfer->add_done(chunk.ref.bytes);
      finish_if_done(chunk.op, ended);
    }
    unheard_ -= messages.size();
    for (const MessagePtr& message : messages) {
      outbox_.acknowledged(*message);
      message->heard.store(true, std::memory_order_relaxed);
      if (message->frees) give_back(*message->frees);
      if (message == room_told_) room_was_heard_of();
      if (message->op == nullptr) continue;
      --message->op->outstanding;
      finish_if_done(message->op, ended);
    }
  }
  if (outbox_.has_messages()) wake_(0);
}

void Operations::chunk_failed(const OutChunk& chunk, const Error& why) {
  EndedTransfers ended(going_on_, bell_);
  {
    const Lock lock(mutex_);
    if (ended_) return;
    --chunk.op->outstanding;
    stop_outgoing(chunk.op, why, ended);
    finish_if_done(chunk.op, ended);
  }
  wake_(0);
}

// What is under way of it goes on, void: the peer takes none of it in.
void Operations::memory_lost(const std::shared_ptr<Outgoing>& op, const Error& why) {
  RegionUse region;
  EndedTransfers ended(going_on_, bell_);
  {
    const Lock lock(mutex_);
    if (ended_ || op->ended) return;
    region = op->region.again();
    stop_outgoing(op, why, ended);
  }
  if (region) region->note_loss(why);
  wake_(0);
}

void Operations::send_again(std::vector<MessagePtr> messages, std::vector<OutChunk> chunks) {
  EndedTransfers ended(going_on_, bell_);
  std::uint64_t bytes = 0;
  {
    const Lock lock(mutex_);
    if (ended_) return;
    unheard_ -= messages.size();
    for (auto at = messages.rbegin(); at != messages.rend(); ++at)
      outbox_.post_again(std::move(*at));
    for (OutChunk& chunk : chunks) {
      const std::shared_ptr<Outgoing> op = chunk.op;
      bytes += chunk.ref.bytes;
      if (!op->stopped) {
        outbox_.add_again(std::move(chunk));
        continue;
      }
      --op->outstanding;
      finish_if_done(op, ended);
    }
  }
  wake_(bytes);
}

void Operations::post(wire::Record record, std::shared_ptr<Outgoing> op) {
  auto message = std::make_shared<Message>();
  message->record = std::move(record);
  message->op = std::move(op);
  outbox_.post(std::move(message));
}

MessagePtr Operations::fault(std::uint64_t op, const Error& why) {
  auto message = std::make_shared<Message>();
  const auto bytes = std::as_bytes(std::span(why.message()));
  message->bytes.assign(bytes.begin(), bytes.end());
  message->record = wire::Fault{op, why.code(), text_of(message->bytes)};
  return message;
}

void Operations::post_fault(std::uint64_t op, const Error& why, std::optional<Kept> frees) {
  MessagePtr message = fault(op, why);
  message->frees = frees;
  post_answer(std::move(message));
}

void Operations::post_answer(MessagePtr message) {
  if (count_answer(*message)) outbox_.post(std::move(message));
}

// An answer that there is no room for is left out, and the link ends by it.
bool Operations::count_answer(Message& message) {
  auto share = budget_->take(kAnswerBytes + message.bytes.size());
  if (share.ok())
    message.share = std::move(*share);
  else if (!overrun_)
    overrun_ = share.error();
  return share.ok();
}

void Operations::post_unordered(MessagePtr message) {
  {
    const Lock lock(mutex_);
    if (ended_ || !count_answer(*message)) return;
    outbox_.post_unordered(std::move(message));
  }
  wake_(0);
}

// ---- what comes in ----

void Operations::landed(const Target& target) {
  if (!target.reply && !target.tracked) return;
  EndedTransfers ended(going_on_, bell_);
  const Lock lock(mutex_);
  if (ended_) return;
  if (!target.reply) {
    if (notifications_.landed(target.op, target.bytes)) ended.ring();
    return;
  }
  const auto at = parts_.find(target.op);
  if (at == parts_.end()) return;
  InboundPart& part = at->second;
  part.landed += target.bytes;
  part.inbound->transfer->add_done(target.bytes);
  if (part.landed >= part.bytes) end_part(target.op, std::nullopt, ended);
}

// This side's fault: the peer hears of its own operation, the user of his.
void Operations::target_failed(Target& target, const Error& why) {
  std::optional<std::uint64_t> refused;  // of the peer's
  if (!target.reply) refused = target.op;
  if (target.reply) {
    EndedTransfers ended(going_on_, bell_);
    const Lock lock(mutex_);
    if (const auto at = parts_.find(target.op); at != parts_.end()) {
      const std::shared_ptr<Inbound> inbound = at->second.inbound;
      refused = inbound->peer_op;
      if (!refused)
        stop_inbound(inbound, why, ended);
      else if (!inbound->error)  // its sender hears of it, and ends it
        inbound->error = why;
    }
  }
  if (refused) refuse(target, *refused, why);
  wake_(0);
}

// Without a number: no message that comes late may hold it up.
void Operations::refuse(Target& target, std::uint64_t op, const Error& why) {
  target.refusal = fault(op, why);
  post_unordered(target.refusal);
}

Status Operations::take_message(std::uint64_t order, const wire::Record& record) {
  EndedTransfers ended(going_on_, bell_);
  Status taken;
  {
    const Lock lock(mutex_);
    if (ended_) return {};
    taken = in_order_.take(order, record,
                           [&](const wire::Record& next) { return deliver(next, ended); });
  }
  if (outbox_.has_messages() || outbox_.unsent_bytes() > 0) wake_(outbox_.unsent_bytes());
  return taken;
}

Status Operations::deliver(const wire::Record& record, EndedTransfers& ended) {
  return std::visit(
      [&](const auto& it) -> Status {
        if constexpr (requires { on(it, ended); })
          return on(it, ended);
        else
          return Error(Code::protocol, fmt::format("a {} among the messages of a channel",
                                                   wire::record_name(wire::Record(it))));
      },
      record);
}

// One that has ended meanwhile is nobody's.
Status Operations::on(const wire::Fault& fault, EndedTransfers& ended) {
  const Error why = Error(fault.code, std::string(fault.text)).within("the peer");
  if (const auto send = sends_.find(fault.op); send != sends_.end()) {
    const std::optional<Error> own = std::exchange(send->second.stopped, std::nullopt);
    end_send(fault.op, own ? *own : why, ended);
  } else if (const auto out = outgoing_.find(fault.op); out != outgoing_.end()) {
    stop_outgoing(std::shared_ptr(out->second), why, ended);
  } else if (parts_.contains(fault.op)) {
    end_part(fault.op, why, ended);
  }
  return {};
}

// ---- the end ----

// One that was stopped meanwhile is not begun any more.
void Operations::look_at_streams() {
  if (!gate_.any()) return;
  EndedTransfers ended(going_on_, bell_);
  bool any = false;
  {
    const Lock lock(mutex_);
    for (const StreamGate::Passed& passed : gate_.take_passed()) {
      any = true;
      if (const auto* const out = std::get_if<std::shared_ptr<Outgoing>>(&passed.operation)) {
        if (!passed.there.ok())
          stop_outgoing(*out, passed.there.error(), ended);
        else if (!(*out)->stopped)
          outbox_.add(*out);
        continue;
      }
      const auto& inbound = std::get<std::shared_ptr<Inbound>>(passed.operation);
      if (!inbound->held) continue;
      if (passed.there.ok())
        ask_for(inbound, ended);
      else
        stop_inbound(inbound, passed.there.error(), ended);
    }
  }
  if (any) wake_(outbox_.unsent_bytes());
}

Operations::State Operations::make_transfer(const Link& link, std::uint64_t op,
                                            std::uint64_t bytes) {
  auto transfer = std::make_shared<TransferState>(link, op, bytes);
  going_on_.add(transfer);
  return transfer;
}

Operations::State Operations::done_at_once() {
  auto transfer = std::make_shared<TransferState>(Link{}, 0, 0);
  transfer->finish({});
  return transfer;
}

Operations::State Operations::refused_if_ended() const {
  return ended_ ? std::make_shared<TransferState>(*ended_) : nullptr;
}

bool Operations::idle() const {
  const Lock lock(mutex_);
  return outgoing_.empty() && sends_.empty() && inbound_.empty() && replies_.empty() &&
         !outbox_.has_messages() && unheard_ == 0;
}

void Operations::end(const Error& why) {
  EndedTransfers ended(going_on_, bell_);
  const Lock lock(mutex_);
  // Where there is no memory for it, all of it may be done again.
  if (!ended_) ended_ = why;
  while (!going_on_.empty()) ended.add(going_on_.first(), why);
  outgoing_.clear();
  replies_.clear();
  open_writes_.clear();
  held_notifications_.clear();
  waiting_ = {};
  sends_.clear();
  inbound_.clear();
  parts_.clear();
  tags_.clear();
  notifications_.end_writes();
  gate_.clear();
  for (const Drains::Drained& tell : drains_.clear()) tell();
  in_order_.clear();
  deadlines_.clear();
  by_region_.clear();
  served_.clear();
  outbox_.clear();
  ended.ring();
}

}  // namespace hawser::engine
