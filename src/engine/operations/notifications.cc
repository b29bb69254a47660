#include "engine/operations/notifications.h"

#include <fmt/core.h>

#include <utility>

namespace hawser::engine {

Status Notifications::check_room() const {
  if (waiting_.size() < kMaxWaiting) return {};
  return Error(Code::peer, fmt::format("{} notifications have come and nobody has taken them: call "
                                       "Link::take_notification()",
                                       waiting_.size()));
}

Status Notifications::add(std::string text, Budget::Share share) {
  HAWSER_TRY(check_room());
  push({std::move(text), std::move(share)});
  return {};
}

std::optional<std::string> Notifications::take() {
  if (waiting_.empty()) return std::nullopt;
  std::string oldest = std::move(waiting_.front().text);
  waiting_.pop_front();
  count_.store(waiting_.size(), std::memory_order_relaxed);
  return oldest;
}

Result<bool> Notifications::begin(std::uint64_t write, std::uint64_t total, std::string text,
                                  Budget::Share share) {
  if (writes_.size() >= kMaxWrites)
    return Error(Code::protocol, "too many writes with a notification at a time");
  Write& begun = writes_[write];
  begun.begun = true;
  begun.total = total;
  begun.notification = {std::move(text), std::move(share)};
  HAWSER_TRY(check_room());
  return finish_if_landed(write);
}

bool Notifications::landed(std::uint64_t write, std::uint64_t bytes) {
  writes_[write].landed += bytes;
  return finish_if_landed(write);
}

bool Notifications::finish_if_landed(std::uint64_t write) {
  const auto at = writes_.find(write);
  if (!at->second.begun || at->second.landed < at->second.total) return false;
  push(std::move(at->second.notification));
  writes_.erase(at);
  return true;
}

void Notifications::push(Text text) {
  waiting_.push_back(std::move(text));
  count_.store(waiting_.size(), std::memory_order_relaxed);
}

}  // namespace hawser::engine
