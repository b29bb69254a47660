#include "net/tcp/receive_board.h"

#include <fmt/core.h>

#include <algorithm>
#include <mutex>

namespace hawser::tcp {
namespace {

std::uint64_t weight(const FrameHeader& piece) {
  return piece.bytes + (piece.offset == 0 ? 1 : 0);
}

}  // namespace

ReceiveMessage* ReceiveBoard::post(void* data, std::size_t capacity, bool may_vanish) {
  const std::lock_guard lock(mutex_);  // a stray piece may look at the place
  ReceiveMessage* const message = window_.push();
  if (message == nullptr) return nullptr;
  ++posts_;
  last_capacity_ = capacity;
  message->data = static_cast<std::byte*>(data);
  message->capacity = capacity;
  message->may_vanish = may_vanish;
  message->lost = Lost::nothing;
  message->announced = false;
  message->total = message->promised = message->received = 0;
  message->complete.store(false, std::memory_order_relaxed);
  ++posted_;
  return message;
}

// Sequences are numbers modulo 2^32: whether this one lies before posted_.
bool ReceiveBoard::is_posted(std::uint32_t sequence) const {
  return static_cast<std::int32_t>(sequence - posted_) < 0;
}

Result<ReceiveBoard::Place> ReceiveBoard::find(const FrameHeader& piece, IoTask* waiting) {
  const std::lock_guard lock(mutex_);
  if (!is_posted(piece.sequence)) {
    if (waiting != nullptr) waiting_.push_back({waiting, piece.sequence});
    return Place();
  }
  ReceiveMessage& message = window_.at(piece.sequence);
  if (message.sequence != piece.sequence || message.done())
    return Error(Code::protocol,
                 fmt::format("a piece of message {}, which has ended", piece.sequence));
  HAWSER_TRY(promise(message, piece));
  return Place{&message, message.data + piece.offset};
}

// A hostile sender may let pieces overlap, which spoils its own message. It cannot write outside
// the receive, or into one that is complete.
Status ReceiveBoard::promise(ReceiveMessage& message, const FrameHeader& piece) {
  if (piece.total > message.capacity)
    return Error(Code::protocol,
                 fmt::format("the sender's message (tag {}) has {} bytes, the receive posted for "
                             "it only {}: post at least as much as is sent",
                             piece.tag, piece.total, message.capacity));
  if (message.announced && message.total != piece.total)
    return Error(Code::protocol, fmt::format("message {} has {} bytes by one piece, {} by another",
                                             piece.sequence, message.total, piece.total));
  if (weight(piece) > piece.total + 1 - message.promised)
    return Error(Code::protocol, fmt::format("more pieces of message {} than make its {} bytes",
                                             piece.sequence, piece.total));
  message.announced = true;
  message.total = piece.total;
  message.promised += weight(piece);
  return {};
}

void ReceiveBoard::finish(ReceiveMessage& message, const FrameHeader& piece, Lost lost) {
  const std::lock_guard lock(mutex_);
  if (lost != Lost::nothing) message.lost = lost;
  message.received += weight(piece);
  if (message.received <= message.total) return;
  complete_.fetch_add(1, std::memory_order_relaxed);
  message.complete.store(true, std::memory_order_release);
}

std::string ReceiveBoard::state_of(const ReceiveMessage& message) {
  const std::lock_guard lock(mutex_);
  if (!message.announced) return "no byte of this message came";
  return fmt::format("{} of {} bytes received", std::min(message.received, message.total),
                     message.total);
}

std::size_t ReceiveBoard::arrived(std::span<IoTask*> to) {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (std::size_t i = 0; i < waiting_.size() && count < to.size();) {
    if (!is_posted(waiting_[i].sequence)) {
      ++i;
      continue;
    }
    to[count++] = waiting_[i].driven;
    waiting_[i] = waiting_.back();
    waiting_.pop_back();
  }
  return count;
}

}  // namespace hawser::tcp
