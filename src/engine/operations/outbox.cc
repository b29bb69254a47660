#include "engine/operations/outbox.h"

#include <algorithm>
#include <utility>

namespace hawser::engine {

void Outbox::add(MessagePtr message) {
  if (message->op != nullptr) ++message->op->unsent_messages;
  messages_.push_back(std::move(message));
  message_count_.fetch_add(1, std::memory_order_relaxed);
}

void Outbox::post_unordered(MessagePtr message) {
  messages_.push_front(std::move(message));
  message_count_.fetch_add(1, std::memory_order_relaxed);
}

void Outbox::post_again(MessagePtr message) {
  if (message->op != nullptr) {
    --message->op->outstanding;
    ++message->op->unsent_messages;
  }
  if (message->order != 0) bytes_ahead_ -= wire::encoded_bytes(message->record);
  messages_.push_front(std::move(message));
  message_count_.fetch_add(1, std::memory_order_relaxed);
}

// The peer holds back what comes before its turn, and not without end. What goes out again it may
// wait for.
bool Outbox::admits(const Message& message) const {
  if (!window_.admits(message.order)) return false;
  return message.order <= newest_taken_ || bytes_ahead_ < kMostBytesAhead;
}

void Outbox::take_messages(wire::FrameBuilder& frame, std::vector<MessagePtr>& sent) {
  while (!messages_.empty()) {
    MessagePtr& next = messages_.front();
    if (!admits(*next)) return;
    const std::size_t order_bytes =
        next->order != 0 ? wire::encoded_bytes(wire::Order{next->order}) : 0;
    const std::size_t bytes = wire::encoded_bytes(next->record);
    if (frame.room() < order_bytes + bytes) return;
    if (next->order != 0) {
      frame.add(wire::Order{next->order});
      bytes_ahead_ += bytes;
      newest_taken_ = std::max(newest_taken_, next->order);
    }
    frame.add(next->record);
    if (next->op != nullptr) {
      --next->op->unsent_messages;
      ++next->op->outstanding;
    }
    sent.push_back(std::move(next));
    messages_.pop_front();
    message_count_.fetch_sub(1, std::memory_order_relaxed);
  }
}

void Outbox::add(std::shared_ptr<Outgoing> op) {
  if (op->cutter.empty()) return;
  unsent_bytes_.fetch_add(op->cutter.left(), std::memory_order_relaxed);
  op->listed = true;
  Outgoing& listed = *op;
  listed.listed_at = bulk_.insert(bulk_.end(), std::move(op));
}

void Outbox::add_again(OutChunk chunk) {
  Outgoing& op = *chunk.op;
  --op.outstanding;
  unsent_bytes_.fetch_add(chunk.ref.bytes, std::memory_order_relaxed);
  if (op.again.empty()) op.again_at = again_.insert(again_.end(), chunk.op);
  op.again.push_back(chunk.ref);
}

// Whoever drops it holds it: here goes but a share.
void Outbox::drop(Outgoing& op) {
  for (const ChunkRef& chunk : op.again)
    unsent_bytes_.fetch_sub(chunk.bytes, std::memory_order_relaxed);
  if (!op.again.empty()) again_.erase(op.again_at);
  op.again.clear();
  if (!op.listed) return;
  op.listed = false;
  unsent_bytes_.fetch_sub(op.cutter.left(), std::memory_order_relaxed);
  bulk_.erase(op.listed_at);
}

void Outbox::clear() {
  messages_.clear();
  again_.clear();
  bulk_.clear();
  message_count_.store(0, std::memory_order_relaxed);
  unsent_bytes_.store(0, std::memory_order_relaxed);
}

// Whether there is a slot for it, where it may need one.
bool Outbox::take_slot(const Outgoing& op, bool one_piece, std::uint64_t bytes, Limits& limits) {
  const bool on_gpu = op.region->gpu() != nullptr;
  if (!on_gpu && (one_piece || bytes <= wire::kMaxInlineBytes)) return true;
  std::size_t& slots = on_gpu ? limits.pinned_slots : limits.plain_slots;
  if (slots == 0) return false;
  --slots;
  return true;
}

void Outbox::count(const OutChunk& chunk, Limits& limits) {
  --limits.chunks;
  limits.bytes -= std::min(limits.bytes, chunk.ref.bytes);
  ++chunk.op->outstanding;
}

bool Outbox::take_again(Limits& limits, std::vector<OutChunk>& taken) {
  const std::shared_ptr<Outgoing> op = again_.front();
  const ChunkRef next = op->again.front();
  if (!take_slot(*op, next.pieces == 1, next.bytes, limits)) return false;
  unsent_bytes_.fetch_sub(next.bytes, std::memory_order_relaxed);
  taken.push_back({op, next, true});
  count(taken.back(), limits);
  op->again.pop_front();
  if (op->again.empty()) again_.pop_front();
  return true;
}

// A small operation is cut so that all channels have a part of it.
std::uint64_t Outbox::chunk_bytes(const Outgoing& op, const Limits& limits) {
  const std::uint64_t share =
      (op.blocks.total() / limits.channels + kShareUnit - 1) & ~(kShareUnit - 1);
  return std::clamp(share, std::min(kLeastShare, limits.chunk_bytes), limits.chunk_bytes);
}

bool Outbox::take_next(Limits& limits, std::vector<OutChunk>& taken) {
  const std::shared_ptr<Outgoing> op = bulk_.front();
  if (!take_slot(*op, op->blocks.size() == 1, op->cutter.left(), limits)) return false;
  taken.push_back({op, op->cutter.next(chunk_bytes(*op, limits), wire::kMaxPieces), false});
  unsent_bytes_.fetch_sub(taken.back().ref.bytes, std::memory_order_relaxed);
  count(taken.back(), limits);
  op->listed = !op->cutter.empty();
  if (op->listed)
    bulk_.splice(bulk_.end(), bulk_, bulk_.begin());
  else
    bulk_.pop_front();
  return true;
}

void Outbox::take_chunks(Limits limits, std::vector<OutChunk>& taken) {
  while (limits.chunks > 0 && limits.bytes > 0 && !again_.empty())
    if (!take_again(limits, taken)) return;
  while (limits.chunks > 0 && limits.bytes > 0 && !bulk_.empty())
    if (!take_next(limits, taken)) return;
}

}  // namespace hawser::engine
