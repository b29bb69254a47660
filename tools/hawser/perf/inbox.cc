#include "perf/inbox.h"

#include <fmt/core.h>

namespace hawser {

void Inbox::on_message(wire::Message message) {
  const std::lock_guard lock(mutex_);
  if (lost_) return;
  if (const auto* result = std::get_if<wire::PerfResult>(&message); result && !result->ok)
    failed_ = Error(Code::peer, "the other side: " + result->reason);
  unread_.push_back(std::move(message));
  if (unread_.size() > kMaxUnread)
    lost_ = Error(Code::protocol, "the other side talks out of turn");
  changed_.notify_all();
}

void Inbox::on_lost(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (!lost_) lost_ = error;
  changed_.notify_all();
}

Result<wire::Message> Inbox::next(const Deadline& deadline, std::string_view what) {
  std::unique_lock lock(mutex_);
  while (unread_.empty()) {
    if (lost_) return *lost_;
    if (deadline.expired())
      return Error(Code::timeout, fmt::format("the other side did not send {} within {} ms", what,
                                              deadline.timeout().count()));
    changed_.wait_for(lock, Milliseconds(deadline.poll_timeout_ms(1000)));
  }
  wire::Message message = std::move(unread_.front());
  unread_.pop_front();
  return message;
}

Error Inbox::unexpected(const wire::Message& message, std::string_view what) {
  if (const auto* result = std::get_if<wire::PerfResult>(&message); result && !result->ok)
    return Error(Code::peer, "the other side: " + result->reason);
  return Error(Code::protocol, fmt::format("the other side sent a {} where {} was due",
                                           wire::message_name(message), what));
}

std::optional<Error> Inbox::broken() const {
  const std::lock_guard lock(mutex_);
  return failed_ ? failed_ : lost_;
}

}  // namespace hawser
