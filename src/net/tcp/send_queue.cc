#include "net/tcp/send_queue.h"

#include <algorithm>
#include <mutex>

namespace hawser::tcp {

SendMessage* SendQueue::post(const void* data, std::size_t bytes, int tag, bool may_vanish) {
  SendMessage* const message = window_.push();
  if (message == nullptr) return nullptr;
  message->data = static_cast<const std::byte*>(data);
  message->bytes = bytes;
  message->tag = static_cast<std::uint32_t>(tag);
  message->may_vanish = may_vanish;
  message->lost.store(false, std::memory_order_relaxed);
  message->left.store(bytes + 1, std::memory_order_relaxed);  // published by the lock
  const std::lock_guard lock(mutex_);
  ++posted_;
  unclaimed_ += bytes;
  return message;
}

std::uint64_t SendQueue::unclaimed() const {
  const std::lock_guard lock(mutex_);
  return unclaimed_;
}

void SendQueue::expect_flows(unsigned flows) {
  mutex_.share();
  const std::lock_guard lock(mutex_);
  flows_ = flows;
  idle_.reserve(flows);
}

void SendQueue::lose_flow() {
  const std::lock_guard lock(mutex_);
  --flows_;
}

void SendQueue::keep_to_first(bool alone) {
  const std::lock_guard lock(mutex_);
  kept_to_first_ = alone;
}

void SendQueue::have_threads() {
  const std::lock_guard lock(mutex_);
  threads_ = true;
}

bool SendQueue::has_threads() const {
  const std::lock_guard lock(mutex_);
  return threads_;
}

std::size_t SendQueue::claim(std::span<Piece> to, const Taker& taker) {
  const std::lock_guard lock(mutex_);
  const bool may = taker.idle == nullptr || !kept_to_first_;
  const std::uint64_t limit = taker.idle == nullptr && !alone() ? kMinPieceBytes : share();
  std::size_t count = 0;
  for (std::uint64_t bytes = 0; may && count < to.size() && next_ != posted_ && bytes < limit;
       ++count) {
    if (!taker.large && window_.at(next_).bytes >= kLargeBytes) break;
    to[count] = take(alone() ? kMaxMessageBytes : limit);
    bytes += to[count].frame_bytes();
  }
  if (count == 0 && taker.idle != nullptr) note_idle(*taker.idle);
  return count;
}

void SendQueue::note_idle(IoTask& driven) {
  if (std::find(idle_.begin(), idle_.end(), &driven) == idle_.end()) idle_.push_back(&driven);
}

// Half of an equal share: the rest is there for whoever is faster.
std::uint64_t SendQueue::share() const {
  if (alone()) return kBatchBytes;
  return std::clamp<std::uint64_t>(unclaimed_ / (2 * flows_), kMinPieceBytes, kMaxPieceBytes) /
         kPieceUnit * kPieceUnit;
}

Piece SendQueue::take(std::uint64_t limit) {
  SendMessage& message = window_.at(next_);
  const std::uint64_t rest = message.bytes - offset_;
  // A little more rather than a tiny rest.
  const std::uint64_t bytes = rest < limit + kMinPieceBytes / 2 ? rest : limit;
  Piece piece;
  piece.message = &message;
  piece.data = message.data + offset_;
  piece.bytes = bytes;
  piece.weight = bytes + (offset_ == 0 ? 1 : 0);
  piece.header = encode_header(
      {FrameType::piece, message.tag, message.sequence, message.bytes, offset_, bytes});
  offset_ += bytes;
  unclaimed_ -= bytes;
  if (offset_ == message.bytes) {
    ++next_;
    offset_ = 0;
  }
  return piece;
}

std::size_t SendQueue::wanted(std::span<IoTask*> to) {
  const std::lock_guard lock(mutex_);
  const std::size_t enough =
      std::min<std::size_t>((unclaimed_ + kMinPieceBytes - 1) / kMinPieceBytes, to.size());
  std::size_t count = 0;
  for (; count < enough && !idle_.empty(); ++count) {
    to[count] = idle_.back();
    idle_.pop_back();
  }
  return count;
}

}  // namespace hawser::tcp
