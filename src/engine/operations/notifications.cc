#include "engine/operations/notifications.h"

#include <fmt/core.h>

#include <utility>

namespace hawser::engine {

void Notifications::add(std::string text, Budget::Share share) {
  push({std::move(text), std::move(share)});
}

std::optional<std::string> Notifications::take() {
  if (waiting_.empty()) return std::nullopt;
  std::string oldest = std::move(waiting_.front().text);
  waiting_.pop_front();
  count_.store(waiting_.size(), std::memory_order_relaxed);
  return oldest;
}

Status Notifications::expect(std::uint64_t write, std::uint64_t room) {
  if (writes_.contains(write)) return {};
  if (not_begun_ >= room)
    return Error(Code::protocol,
                 "parts came of more writes with a notification than there was room for");
  writes_[write];
  ++not_begun_;
  return {};
}

Result<bool> Notifications::begin(std::uint64_t write, std::uint64_t total, std::string text,
                                  Budget::Share share) {
  const auto [at, is_new] = writes_.try_emplace(write);
  Write& begun = at->second;
  if (begun.begun) return Error(Code::protocol, fmt::format("write {} began twice", write));
  if (!is_new) --not_begun_;
  begun.begun = true;
  begun.total = total;
  begun.notification = {std::move(text), std::move(share)};
  return finish_if_landed(at);
}

bool Notifications::landed(std::uint64_t write, std::uint64_t bytes) {
  const auto at = writes_.find(write);
  if (at == writes_.end()) return false;
  at->second.landed += bytes;
  return finish_if_landed(at);
}

bool Notifications::finish_if_landed(Writes::iterator write) {
  if (!write->second.begun || write->second.landed < write->second.total) return false;
  push(std::move(write->second.notification));
  writes_.erase(write);
  return true;
}

bool Notifications::withdraw(std::uint64_t write) {
  const auto at = writes_.find(write);
  if (at == writes_.end()) return false;
  const bool begun = at->second.begun;
  if (!begun) --not_begun_;
  writes_.erase(at);
  return begun;
}

void Notifications::end_writes() {
  writes_.clear();
  not_begun_ = 0;
}

void Notifications::push(Text text) {
  waiting_.push_back(std::move(text));
  count_.store(waiting_.size(), std::memory_order_relaxed);
}

}  // namespace hawser::engine
