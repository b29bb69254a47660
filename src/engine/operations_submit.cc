// The user's side: what is asked for, and taken back.
#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/operations.h"

namespace hawser::engine {
namespace {

// The bytes of a small message, out of host memory.
std::vector<std::byte> collect(const Request& request) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(request.blocks.total()));
  std::byte* to = bytes.data();
  for (std::size_t i = 0; i < request.blocks.size(); ++i) {
    const Block& block = request.blocks[i];
    std::memcpy(to, request.region->range().at(block.local_offset), block.bytes);
    to += block.bytes;
  }
  return bytes;
}

std::vector<std::byte> as_bytes(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

Operations::State done_at_once() {
  auto transfer = std::make_shared<TransferState>(Operations::Link{}, 0, 0);
  transfer->finish({});
  return transfer;
}

}  // namespace

Operations::State Operations::refused_if_ended() const {
  return ended_ ? std::make_shared<TransferState>(*ended_) : nullptr;
}

void Operations::set_deadline(std::uint64_t op, int timeout_ms) {
  if (timeout_ms > 0)
    deadlines_.emplace(Clock::system().now() + std::chrono::milliseconds(timeout_ms), op);
}

void Operations::post(wire::Record record, std::shared_ptr<Outgoing> op) {
  auto message = std::make_shared<Message>();
  message->record = std::move(record);
  message->op = std::move(op);
  outbox_.post(std::move(message));
}

Operations::State Operations::write(const Link& link, Request request, const wire::Key& key,
                                    std::string notification) {
  if (request.blocks.total() == 0 && notification.empty()) return done_at_once();
  State transfer;
  Endings endings(bell_);
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
    op->transfer = transfer = std::make_shared<TransferState>(link, op->own_op, bytes);
    if (op->tracked) {
      auto message = std::make_shared<Message>();
      message->bytes = as_bytes(notification);
      message->record = wire::Begin{op->own_op, bytes, message->bytes};
      message->op = op;
      outbox_.post(std::move(message));
    }
    outgoing_.emplace(op->own_op, op);
    open_writes_.insert(op->own_op);
    set_deadline(op->own_op, request.timeout_ms);
    start(op, request.after, endings);
  }
  wake_(bytes);
  return transfer;
}

Operations::State Operations::read(const Link& link, Request request, const wire::Key& key) {
  if (request.blocks.total() == 0) return done_at_once();
  State transfer;
  Endings endings(bell_);
  {
    const Lock lock(mutex_);
    if (auto refused = refused_if_ended()) return refused;
    if (auto refused = refused_if_draining(key)) return refused;
    auto inbound = std::make_shared<Inbound>();
    inbound->op = ++last_op_;
    inbound->blocks = std::move(request.blocks);
    inbound->region = std::move(request.region);
    inbound->after = std::move(request.after);
    inbound->key = key;
    inbound->transfer = transfer =
        std::make_shared<TransferState>(link, inbound->op, inbound->blocks.total());
    inbound_.emplace(inbound->op, inbound);
    set_deadline(inbound->op, request.timeout_ms);
    start(inbound, endings);
  }
  wake_(0);
  return transfer;
}

// A request per so many pieces, each by a number of its own.
void Operations::add_parts(const std::shared_ptr<Inbound>& inbound) {
  ChunkCutter cutter(inbound->blocks);
  while (!cutter.empty()) {
    const ChunkRef part = cutter.next(kMaxReadPiece, wire::kMaxPieces);
    auto message = std::make_shared<Message>();
    for_each_piece(inbound->blocks, part,
                   [&](std::uint64_t, std::uint64_t remote, std::uint64_t bytes) {
                     message->pieces.push_back({remote, static_cast<std::uint32_t>(bytes)});
                   });
    const std::uint64_t number = ++last_op_;
    message->record = wire::ReadRequest{number, inbound->key, message->pieces, {}};
    parts_.emplace(number, InboundPart{inbound, part.offset, part.bytes, 0});
    inbound->parts.push_back(number);
    outbox_.post(std::move(message));
  }
}

// Small messages of host memory travel with their announcement.
Operations::State Operations::send(const Link& link, std::uint64_t tag, Request request) {
  State transfer;
  const std::uint64_t bytes = request.blocks.total();
  const bool eager =
      bytes == 0 || (bytes <= kEagerBytes && request.region->gpu() == nullptr && !request.after);
  auto message = std::make_shared<Message>();
  if (eager) message->bytes = collect(request);
  {
    const Lock lock(mutex_);
    if (auto refused = refused_if_ended()) return refused;
    const std::uint64_t op = ++last_op_;
    transfer = std::make_shared<TransferState>(link, op, bytes);
    message->record = wire::Send{op, tag, bytes, eager, message->bytes};
    outbox_.post(std::move(message));
    sends_.emplace(op, PendingSend{op, std::move(request.blocks), std::move(request.region),
                                   std::move(request.after), transfer, std::nullopt});
    set_deadline(op, request.timeout_ms);
  }
  wake_(0);
  return transfer;
}

Operations::State Operations::receive(const Link& link, std::uint64_t tag, Request request) {
  State transfer;
  Endings endings(bell_);
  {
    const Lock lock(mutex_);
    if (auto refused = refused_if_ended()) return refused;
    auto inbound = std::make_shared<Inbound>();
    inbound->op = ++last_op_;
    inbound->tag = tag;
    inbound->blocks = std::move(request.blocks);
    inbound->region = std::move(request.region);
    inbound->after = std::move(request.after);
    inbound->transfer = transfer =
        std::make_shared<TransferState>(link, inbound->op, inbound->blocks.total());
    inbound_.emplace(inbound->op, inbound);
    set_deadline(inbound->op, request.timeout_ms);
    const auto waiting = announced_.find(tag);
    if (waiting == announced_.end()) {
      inbound->posted = true;
      posted_[tag].push_back(std::move(inbound));
    } else {
      const Announced message = std::move(waiting->second.front());
      waiting->second.pop_front();
      if (waiting->second.empty()) announced_.erase(waiting);
      --announced_count_;
      meet(inbound, message, endings);
    }
  }
  wake_(0);
  return transfer;
}

Operations::State Operations::notify(const Link& link, std::string text) {
  State transfer;
  {
    const Lock lock(mutex_);
    if (auto refused = refused_if_ended()) return refused;
    auto op = std::make_shared<Outgoing>(Outgoing::Kind::notify, BlockList());
    op->own_op = ++last_op_;
    op->transfer = transfer = std::make_shared<TransferState>(link, op->own_op, 0);
    auto message = std::make_shared<Message>();
    message->bytes = as_bytes(text);
    message->record = wire::Notify{message->bytes};
    message->op = op;
    outgoing_.emplace(op->own_op, op);
    held_notifications_.emplace_back(op->own_op, std::move(message));
    release_notifications();
  }
  wake_(0);
  return transfer;
}

// Each waits for the writes that were asked for before it.
void Operations::release_notifications() {
  while (!held_notifications_.empty()) {
    auto& [op, message] = held_notifications_.front();
    if (!open_writes_.empty() && *open_writes_.begin() < op) return;
    outbox_.post(std::move(message));
    held_notifications_.pop_front();
  }
}

std::optional<std::string> Operations::take_notification() {
  if (notification_count_.load(std::memory_order_relaxed) == 0) return std::nullopt;
  const Lock lock(mutex_);
  if (notifications_.empty()) return std::nullopt;
  std::string oldest = std::move(notifications_.front());
  notifications_.pop_front();
  notification_count_.store(notifications_.size(), std::memory_order_relaxed);
  return oldest;
}

// ---- taking back ----

void Operations::stop(std::uint64_t op, Error why) {
  Endings endings(bell_);
  {
    const Lock lock(mutex_);
    stop_op(op, why, endings);
  }
  wake_(0);
}

void Operations::stop_op(std::uint64_t op, const Error& why, Endings& endings) {
  if (const auto at = outgoing_.find(op); at != outgoing_.end()) {
    stop_outgoing(std::shared_ptr(at->second), why, endings);
  } else if (const auto send = sends_.find(op); send != sends_.end()) {
    stop_send(send->second, why);
  } else if (const auto inbound = inbound_.find(op); inbound != inbound_.end()) {
    stop_inbound(std::shared_ptr(inbound->second), why, endings);
  }
}

// What is on its way is waited for: until then its memory is read.
void Operations::stop_outgoing(const std::shared_ptr<Outgoing>& op, Error why, Endings& endings) {
  if (op->stopped) return;
  if (op->kind == Outgoing::Kind::notify) {
    const auto held = std::find_if(held_notifications_.begin(), held_notifications_.end(),
                                   [&](const auto& it) { return it.first == op->own_op; });
    if (held == held_notifications_.end()) return;  // too late
    held_notifications_.erase(held);
  }
  outbox_.drop(*op);
  op->stopped = std::move(why);
  finish_if_done(op, endings);
}

void Operations::stop_send(PendingSend& send, Error why) {
  if (send.stopped) return;
  send.stopped = std::move(why);
  post(wire::Withdraw{send.op});
}

void Operations::stop_inbound(const std::shared_ptr<Inbound>& inbound, Error why,
                              Endings& endings) {
  if (inbound->error) return;
  inbound->error = std::move(why);
  for (const std::uint64_t part : inbound->parts) post(wire::Stop{part});
  if (std::exchange(inbound->held, false)) {
    if (inbound->peer_op)
      post_fault(*inbound->peer_op, taken_back());
    else
      count_down(inbound->key);
    inbound->broken = true;
    end_inbound(inbound, endings);
    return;
  }
  if (!inbound->posted) return;
  const auto queue = posted_.find(inbound->tag);
  std::erase(queue->second, inbound);
  if (queue->second.empty()) posted_.erase(queue);
  inbound->broken = true;
  end_inbound(inbound, endings);
}

void Operations::stop(const LocalRegion& region, const Error& why) {
  Endings endings(bell_);
  {
    const Lock lock(mutex_);
    std::vector<std::uint64_t> own;
    for (const auto& [op, outgoing] : outgoing_)
      if (outgoing->region.get() == &region) own.push_back(op);
    for (const auto& [op, send] : sends_)
      if (send.region.get() == &region) own.push_back(op);
    for (const auto& [op, inbound] : inbound_)
      if (inbound->region.get() == &region) own.push_back(op);
    for (const std::uint64_t op : own) stop_op(op, why, endings);
    std::vector<std::shared_ptr<Outgoing>> served;
    for (const auto& [op, reply] : replies_)
      if (reply->region.get() == &region) served.push_back(reply);
    for (const auto& reply : served) stop_outgoing(reply, why, endings);
  }
  wake_(0);
}

void Operations::look_at_deadlines(TimePoint now) {
  Endings endings(bell_);
  bool any = false;
  {
    const Lock lock(mutex_);
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
      stop_op(deadlines_.begin()->second,
              Error(Code::timeout, "the transfer did not end within its own time limit"), endings);
      deadlines_.erase(deadlines_.begin());
      any = true;
    }
  }
  if (any) wake_(0);
}

void Operations::end(const Error& why) {
  Endings endings(bell_);
  const Lock lock(mutex_);
  if (ended_) return;
  ended_ = why;
  for (auto& [op, outgoing] : outgoing_) endings.add(outgoing->transfer, why);
  for (auto& [op, send] : sends_) endings.add(send.transfer, why);
  for (auto& [op, inbound] : inbound_) endings.add(inbound->transfer, why);
  outgoing_.clear();
  replies_.clear();
  open_writes_.clear();
  held_notifications_.clear();
  sends_.clear();
  inbound_.clear();
  parts_.clear();
  posted_.clear();
  announced_.clear();
  tracked_.clear();
  gate_.clear();
  for (const auto& [key, drained] : std::exchange(drains_, {}))
    for (const auto& tell : drained) tell();
  draining_.clear();
  held_back_.clear();
  deadlines_.clear();
  outbox_.clear();
  endings.ring();
}

bool Operations::idle() const {
  const Lock lock(mutex_);
  return outgoing_.empty() && sends_.empty() && inbound_.empty() && replies_.empty() &&
         !outbox_.has_messages() && unheard_ == 0;
}

}  // namespace hawser::engine
