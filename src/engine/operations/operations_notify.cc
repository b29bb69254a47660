// Notifications: by themselves, and behind the data of a write.
#include <chrono>
#include <utility>

#include "engine/operations/operations.h"

namespace hawser::engine {

Operations::State Operations::notify(const Link& link, std::string text, int timeout_ms,
                                     bool only_if_room) {
  State transfer;
  EndedTransfers ended(going_on_, bell_);
  {
    const Lock lock(mutex_);
    if (auto refused = refused_if_ended()) return refused;
    if (only_if_room && !has_room_there(Kept::notification))
      return std::make_shared<TransferState>(no_room(Kept::notification));
    auto op = std::make_shared<Outgoing>(Outgoing::Kind::notify, BlockList());
    op->own_op = ++last_op_;
    op->transfer = transfer = make_transfer(link, op->own_op, 0);
    auto message = std::make_shared<Message>();
    message->bytes = bytes_of(text);
    message->record = wire::Notify{message->bytes};
    message->op = op;
    outgoing_.emplace(op->own_op, op);
    if (timeout_ms > 0)
      set_deadline(op->own_op, Clock::system().now() + std::chrono::milliseconds(timeout_ms));
    when_there_is_room(Kept::notification, op->own_op, {std::move(message), nullptr}, ended);
  }
  wake_(0);
  return transfer;
}

// Each has its room at the peer, and waits for the writes that were asked for before it.
void Operations::release_notifications() {
  while (!held_notifications_.empty()) {
    const auto oldest = held_notifications_.begin();
    if (!open_writes_.empty() && *open_writes_.begin() < oldest->first) return;
    outbox_.post(std::move(oldest->second));
    held_notifications_.erase(oldest);
  }
}

std::optional<std::string> Operations::take_notification() {
  if (!notifications_.any()) return std::nullopt;
  std::optional<std::string> oldest;
  bool to_tell = false;
  {
    const Lock lock(mutex_);
    oldest = notifications_.take();
    if (!oldest) return std::nullopt;
    give_back(Kept::notification);
    to_tell = outbox_.has_messages();
  }
  if (to_tell) wake_(0);
  return oldest;
}

// ---- what the peer says of them ----

Status Operations::on(const wire::Notify& notify, EndedTransfers& ended) {
  HAWSER_TRY(take_room_here(Kept::notification));
  HAWSER_ASSIGN(Budget::Share share, budget_->take(kNotificationBytes + notify.text.size()));
  notifications_.add(std::string(text_of(notify.text)), std::move(share));
  ended.ring();
  return {};
}

Status Operations::on(const wire::Begin& begin, EndedTransfers& ended) {
  HAWSER_TRY(take_room_here(Kept::notification));
  HAWSER_ASSIGN(Budget::Share share, budget_->take(kNotificationBytes + begin.notification.size()));
  HAWSER_ASSIGN(const bool there,
                notifications_.begin(begin.sender_op, begin.total,
                                     std::string(text_of(begin.notification)), std::move(share)));
  if (there) ended.ring();
  return {};
}

}  // namespace hawser::engine
