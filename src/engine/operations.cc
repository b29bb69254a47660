// The channels' side: what goes out, what has come, and what the peer says.
#include "engine/operations.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "gpu/gpu.h"

namespace hawser::engine {
namespace {

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Error too_small(std::uint64_t message, std::uint64_t room) {
  return Error(Code::invalid_argument,
               fmt::format("a message of {} bytes met a receive with room for {}", message, room));
}

}  // namespace

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
  Endings endings(bell_);
  {
    const Lock lock(mutex_);
    if (ended_) return;
    for (const OutChunk& chunk : chunks) {
      --chunk.op->outstanding;
      if (chunk.op->transfer) chunk.op->transfer->add_done(chunk.ref.bytes);
      finish_if_done(chunk.op, endings);
    }
    unheard_ -= messages.size();
    for (const MessagePtr& message : messages) {
      outbox_.acknowledged(*message);
      message->heard.store(true, std::memory_order_relaxed);
      if (message->op == nullptr) continue;
      --message->op->outstanding;
      finish_if_done(message->op, endings);
    }
  }
  if (outbox_.has_messages()) wake_(0);
}

void Operations::chunk_failed(const OutChunk& chunk, const Error& why) {
  Endings endings(bell_);
  {
    const Lock lock(mutex_);
    if (ended_) return;
    --chunk.op->outstanding;
    stop_outgoing(chunk.op, why, endings);
    finish_if_done(chunk.op, endings);
  }
  wake_(0);
}

void Operations::send_again(std::vector<MessagePtr> messages, std::vector<OutChunk> chunks) {
  Endings endings(bell_);
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
      finish_if_done(op, endings);
    }
  }
  wake_(bytes);
}

void Operations::finish_if_done(const std::shared_ptr<Outgoing>& op, Endings& endings) {
  if (op->ended || !op->finished()) return;
  op->ended = true;
  if (op->transfer) endings.add(op->transfer, op->stopped ? Status(*op->stopped) : Status());
  if (op->stopped && op->kind == Outgoing::Kind::reply) post_fault(op->peer_op, *op->stopped);
  if (op->stopped && op->tracked) post(wire::Withdraw{op->own_op});
  op->region.reset();
  if (op->peer_op != 0) replies_.erase(op->peer_op);
  if (op->kind == Outgoing::Kind::write) {
    open_writes_.erase(op->own_op);
    release_notifications();
    count_down(op->key);
  }
  if (op->own_op != 0) outgoing_.erase(op->own_op);
}

MessagePtr Operations::fault(std::uint64_t op, const Error& why) {
  auto message = std::make_shared<Message>();
  const auto bytes = std::as_bytes(std::span(why.message()));
  message->bytes.assign(bytes.begin(), bytes.end());
  message->record = wire::Fault{op, why.code(), as_text(message->bytes)};
  return message;
}

void Operations::post_fault(std::uint64_t op, const Error& why) {
  outbox_.post(fault(op, why));
}

void Operations::post_unordered(MessagePtr message) {
  {
    const Lock lock(mutex_);
    if (ended_) return;
    outbox_.post_unordered(std::move(message));
  }
  wake_(0);
}

// ---- what comes in: data ----

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
  if (!objection) {
    target.region = std::move(*use);
    return;
  }
  refuse(target, *objection);
}

// Without a number: no message that comes late may hold it up.
void Operations::refuse(Target& target, const Error& why) {
  target.refusal = fault(target.op, why);
  post_unordered(target.refusal);
}

void Operations::find_target(const wire::ReplyChunk& chunk, Target& target) {
  target.op = chunk.op;
  target.reply = true;
  target.tracked = false;
  const Lock lock(mutex_);
  const auto at = parts_.find(chunk.op);
  if (at == parts_.end()) return;
  const InboundPart& part = at->second;
  if (chunk.offset > part.bytes || chunk.bytes > part.bytes - chunk.offset) return;
  const Inbound& inbound = *part.inbound;
  const std::uint64_t offset = part.offset + chunk.offset;
  for_each_piece(inbound.blocks, ChunkRef{offset, chunk.bytes, inbound.blocks.find(offset), 0},
                 [&](std::uint64_t local, std::uint64_t, std::uint64_t bytes) {
                   target.pieces.push_back({local, 0, bytes});
                 });
  target.region = inbound.region.again();
}

void Operations::landed(const Target& target) {
  if (!target.reply && !target.tracked) return;
  Endings endings(bell_);
  const Lock lock(mutex_);
  if (ended_) return;
  if (!target.reply) {
    Tracked& tracked = tracked_[target.op];
    tracked.landed += target.bytes;
    apply(target.op, endings);
    return;
  }
  const auto at = parts_.find(target.op);
  if (at == parts_.end()) return;
  InboundPart& part = at->second;
  part.landed += target.bytes;
  part.inbound->transfer->add_done(target.bytes);
  if (part.landed >= part.bytes) end_part(target.op, std::nullopt, endings);
}

// This side's fault: the peer hears of its own operation, the user of his.
void Operations::target_failed(Target& target, const Error& why) {
  if (!target.reply) {
    refuse(target, why);
    return;
  }
  Endings endings(bell_);
  {
    const Lock lock(mutex_);
    if (const auto at = parts_.find(target.op); at != parts_.end())
      stop_inbound(std::shared_ptr(at->second.inbound), why, endings);
  }
  wake_(0);
}

void Operations::apply(std::uint64_t op, Endings& endings) {
  const auto at = tracked_.find(op);
  if (!at->second.begun || at->second.landed < at->second.total) return;
  add_notification(std::move(at->second.notification), endings);
  tracked_.erase(at);
}

void Operations::end_part(std::uint64_t number, std::optional<Error> why, Endings& endings) {
  const auto at = parts_.find(number);
  const std::shared_ptr<Inbound> inbound = std::move(at->second.inbound);
  parts_.erase(at);
  std::erase(inbound->parts, number);
  if (why) {
    inbound->broken = true;
    stop_inbound(inbound, std::move(*why), endings);
  }
  if (inbound->parts.empty()) end_inbound(inbound, endings);
}

void Operations::end_inbound(const std::shared_ptr<Inbound>& inbound, Endings& endings) {
  endings.add(inbound->transfer, inbound->broken ? Status(*inbound->error) : Status());
  inbound->region.reset();
  inbound_.erase(inbound->op);
}

void Operations::end_send(std::uint64_t op, Status outcome, Endings& endings) {
  const auto at = sends_.find(op);
  if (outcome.ok()) at->second.transfer->add_done(at->second.blocks.total());
  endings.add(std::move(at->second.transfer), std::move(outcome));
  sends_.erase(at);
}

// ---- what comes in: messages ----

Status Operations::take_message(std::uint64_t order, const wire::Record& record) {
  Endings endings(bell_);
  Status taken;
  {
    const Lock lock(mutex_);
    if (ended_) return {};
    if (order < next_in_)
      return Error(Code::protocol, fmt::format("message {} came twice, or has no number", order));
    if (order > next_in_) return hold_back(order, record);
    taken = deliver(record, endings);
    ++next_in_;
    while (taken.ok() && !held_back_.empty() && held_back_.begin()->first == next_in_) {
      taken = deliver_held_back(held_back_.begin()->second, endings);
      held_back_.erase(held_back_.begin());
      ++next_in_;
    }
  }
  if (outbox_.has_messages() || outbox_.unsent_bytes() > 0) wake_(outbox_.unsent_bytes());
  return taken;
}

// As a frame of its own: what its views look at does not stay.
Status Operations::hold_back(std::uint64_t order, const wire::Record& record) {
  if (held_back_.size() >= kMaxHeldBack || held_back_.contains(order))
    return Error(Code::protocol,
                 fmt::format("message {} is too far ahead of {}, or came twice", order, next_in_));
  std::vector<std::byte> frame(wire::kFrameBytes);
  wire::FrameBuilder builder(frame);
  if (const auto* const read = std::get_if<wire::ReadRequest>(&record)) {
    std::vector<wire::Piece> pieces;
    for (std::size_t i = 0; i < read->decoded.size(); ++i) pieces.push_back(read->decoded[i]);
    wire::ReadRequest again = *read;
    again.pieces = pieces;
    builder.add(again);
  } else {
    builder.add(record);
  }
  frame.resize(builder.finish().size());
  frame.shrink_to_fit();
  held_back_.emplace(order, std::move(frame));
  return {};
}

Status Operations::deliver_held_back(std::span<const std::byte> frame, Endings& endings) {
  HAWSER_ASSIGN(wire::FrameReader reader, wire::FrameReader::open(frame));
  HAWSER_ASSIGN(const std::optional<wire::Record> record, reader.next());
  return record ? deliver(*record, endings) : Status();
}

Status Operations::deliver(const wire::Record& record, Endings& endings) {
  return std::visit(
      [&](const auto& it) -> Status {
        if constexpr (requires { on(it, endings); })
          return on(it, endings);
        else
          return Error(Code::protocol, fmt::format("a {} among the messages of a channel",
                                                   wire::record_name(wire::Record(it))));
      },
      record);
}

Status Operations::on(const wire::Begin& begin, Endings& endings) {
  if (tracked_.size() >= kMaxTracked)
    return Error(Code::protocol, "too many writes with a notification at a time");
  Tracked& tracked = tracked_[begin.sender_op];
  tracked.begun = true;
  tracked.total = begin.total;
  tracked.notification = as_text(begin.notification);
  if (notifications_.size() >= kMaxNotifications) return nobody_listens();
  apply(begin.sender_op, endings);
  return {};
}

Status Operations::on(const wire::Notify& notify, Endings& endings) {
  if (notifications_.size() >= kMaxNotifications) return nobody_listens();
  add_notification(std::string(as_text(notify.text)), endings);
  return {};
}

void Operations::add_notification(std::string text, Endings& endings) {
  notifications_.push_back(std::move(text));
  notification_count_.store(notifications_.size(), std::memory_order_relaxed);
  endings.ring();
}

Error Operations::nobody_listens() const {
  return Error(Code::peer, fmt::format("{} notifications have come and nobody has taken them: call "
                                       "Link::take_notification()",
                                       notifications_.size()));
}

Status Operations::on(const wire::ReadRequest& request, Endings&) {
  if (replies_.size() >= kMaxReplies || replies_.contains(request.sender_op))
    return Error(Code::protocol, "too many reads at a time, or one twice");
  Result<RegionUse> use = regions_.use(request.key, Rights::read);
  if (!use.ok()) {
    post_fault(request.sender_op, use.error());
    return {};
  }
  std::vector<Block> pieces;
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < request.decoded.size(); ++i) {
    const wire::Piece piece = request.decoded[i];
    pieces.push_back({piece.offset, at, piece.bytes});
    at += piece.bytes;
  }
  auto blocks = BlockList::create(pieces, (*use)->range().bytes, UINT64_MAX);
  if (!blocks.ok()) {
    post_fault(request.sender_op, blocks.error());
    return {};
  }
  auto reply = std::make_shared<Outgoing>(Outgoing::Kind::reply, std::move(*blocks));
  reply->peer_op = request.sender_op;
  reply->region = std::move(*use);
  replies_.emplace(reply->peer_op, reply);
  outbox_.add(std::move(reply));
  return {};
}

Status Operations::on(const wire::Send& send, Endings& endings) {
  Announced message{send.sender_op, send.total, send.eager, {send.data.begin(), send.data.end()}};
  const auto waiting = posted_.find(send.tag);
  if (waiting == posted_.end()) {
    if (announced_count_ >= kMaxAnnounced)
      return Error(Code::peer,
                   fmt::format("{} messages have come that nobody receives", announced_count_));
    announced_[send.tag].push_back(std::move(message));
    ++announced_count_;
    return {};
  }
  const std::shared_ptr<Inbound> receive = std::move(waiting->second.front());
  waiting->second.pop_front();
  if (waiting->second.empty()) posted_.erase(waiting);
  receive->posted = false;
  meet(receive, message, endings);
  return {};
}

// An eager message for a GPU is asked for again: it takes the way of all data there.
void Operations::meet(const std::shared_ptr<Inbound>& receive, const Announced& message,
                      Endings& endings) {
  if (message.total > receive->blocks.total()) {
    receive->broken = true;
    receive->error = too_small(message.total, receive->blocks.total());
    post_fault(message.peer_op, *receive->error);
    end_inbound(receive, endings);
    return;
  }
  receive->transfer->set_bytes(message.total);
  if (message.total == 0 || (message.eager && receive->region->gpu() == nullptr)) {
    const std::byte* from = message.data.data();
    for_each_piece(receive->blocks, ChunkRef{0, message.total, {}, 0},
                   [&](std::uint64_t local, std::uint64_t, std::uint64_t bytes) {
                     std::memcpy(receive->region->range().at(local), from, bytes);
                     from += bytes;
                   });
    receive->transfer->add_done(message.total);
    post(wire::Finished{message.peer_op});
    end_inbound(receive, endings);
    return;
  }
  receive->peer_op = message.peer_op;
  receive->bytes = message.total;
  start(receive, endings);
}

Status Operations::on(const wire::Ready& ready, Endings& endings) {
  const auto at = sends_.find(ready.op);
  if (at == sends_.end()) return Error(Code::protocol, "a receive met a send that there is not");
  PendingSend& send = at->second;
  if (send.stopped) {
    post_fault(ready.sender_op, Error(Code::cancelled, "the sender took the message back"));
    end_send(ready.op, *std::exchange(send.stopped, std::nullopt), endings);
    return {};
  }
  auto reply = std::make_shared<Outgoing>(Outgoing::Kind::reply, std::move(send.blocks));
  reply->own_op = send.op;
  reply->peer_op = ready.sender_op;
  reply->region = std::move(send.region);
  reply->transfer = std::move(send.transfer);
  const std::shared_ptr<GpuEvent> after = std::move(send.after);
  sends_.erase(at);
  outgoing_.emplace(reply->own_op, reply);
  replies_.emplace(reply->peer_op, reply);
  start(reply, after, endings);
  return {};
}

Status Operations::on(const wire::Finished& finished, Endings& endings) {
  if (!sends_.contains(finished.op))
    return Error(Code::protocol, "a send was received that there is not");
  end_send(finished.op, {}, endings);
  return {};
}

// A chunk of a write was refused.
void Operations::take_refusal(const wire::Fault& fault) {
  Endings endings(bell_);
  {
    const Lock lock(mutex_);
    const auto at = outgoing_.find(fault.op);
    if (at == outgoing_.end() || at->second->kind != Outgoing::Kind::write) return;
    stop_outgoing(std::shared_ptr(at->second),
                  Error(fault.code, std::string(fault.text)).within("the peer"), endings);
  }
  if (outbox_.has_messages()) wake_(0);
}

// One that has ended meanwhile is nobody's.
Status Operations::on(const wire::Fault& fault, Endings& endings) {
  const Error why = Error(fault.code, std::string(fault.text)).within("the peer");
  if (const auto send = sends_.find(fault.op); send != sends_.end()) {
    const std::optional<Error> own = std::exchange(send->second.stopped, std::nullopt);
    end_send(fault.op, own ? *own : why, endings);
  } else if (const auto out = outgoing_.find(fault.op); out != outgoing_.end()) {
    stop_outgoing(std::shared_ptr(out->second), why, endings);
  } else if (parts_.contains(fault.op)) {
    end_part(fault.op, why, endings);
  }
  return {};
}

Status Operations::on(const wire::Stop& stop, Endings& endings) {
  if (const auto at = replies_.find(stop.sender_op); at != replies_.end())
    stop_outgoing(std::shared_ptr(at->second), taken_back(), endings);
  else  // all of it was taken in, but may have found no place there
    post_fault(stop.sender_op, Error(Code::cancelled, "all of it had been sent"));
  return {};
}

Status Operations::on(const wire::Withdraw& withdraw, Endings&) {
  tracked_.erase(withdraw.sender_op);
  for (auto at = announced_.begin(); at != announced_.end(); ++at) {
    const std::size_t erased = std::erase_if(at->second, [&](const Announced& message) {
      return message.peer_op == withdraw.sender_op;
    });
    if (erased == 0) continue;
    if (at->second.empty()) announced_.erase(at);
    --announced_count_;
    post_fault(withdraw.sender_op, Error(Code::cancelled, "taken back before it met a receive"));
    break;
  }
  return {};
}

}  // namespace hawser::engine
