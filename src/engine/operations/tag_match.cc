#include "engine/operations/tag_match.h"

#include <fmt/core.h>

#include <utility>

namespace hawser::engine {

TagMatch::TagMatch(std::shared_ptr<Budget> budget)
    : budget_(std::move(budget)),
      data_budget_(Budget::make("messages that no receive has met", "a quarter of a link's",
                                budget_->most() / 4, budget_)) {}

// Data that there is no room for is asked for again when a receive meets it.
Status TagMatch::count(Announced& message) const {
  if (auto whole = data_budget_->try_take(kOverheadBytes + message.data.size())) {
    message.share = std::move(*whole);
    return {};
  }
  HAWSER_ASSIGN(message.share, budget_->take(kOverheadBytes));
  message.data = {};
  message.eager = false;
  return {};
}

Result<std::shared_ptr<Inbound>> TagMatch::add(std::uint64_t tag, Announced& message) {
  const auto waiting = posted_.find(tag);
  if (waiting != posted_.end()) {
    const auto oldest = waiting->second.begin();
    std::shared_ptr<Inbound> receive = std::move(oldest->second);
    waiting->second.erase(oldest);
    if (waiting->second.empty()) posted_.erase(waiting);
    receive->posted = false;
    return receive;
  }
  HAWSER_TRY(count(message));
  if (!messages_.emplace(message.peer_op, std::pair(tag, ++last_number_)).second)
    return Error(Code::protocol, fmt::format("message {} came twice", message.peer_op));
  announced_[tag].emplace(last_number_, std::move(message));
  return std::shared_ptr<Inbound>();
}

std::optional<Announced> TagMatch::add(const std::shared_ptr<Inbound>& receive) {
  const auto waiting = announced_.find(receive->tag);
  if (waiting == announced_.end()) {
    receive->posted = true;
    receive->waiting = ++last_number_;
    posted_[receive->tag].emplace(receive->waiting, receive);
    return std::nullopt;
  }
  const auto oldest = waiting->second.begin();
  Announced message = std::move(oldest->second);
  waiting->second.erase(oldest);
  if (waiting->second.empty()) announced_.erase(waiting);
  messages_.erase(message.peer_op);
  return message;
}

void TagMatch::remove(const std::shared_ptr<Inbound>& receive) {
  const auto queue = posted_.find(receive->tag);
  queue->second.erase(receive->waiting);
  if (queue->second.empty()) posted_.erase(queue);
}

bool TagMatch::remove_message(std::uint64_t peer_op) {
  const auto known = messages_.find(peer_op);
  if (known == messages_.end()) return false;
  const auto [tag, number] = known->second;
  messages_.erase(known);
  const auto queue = announced_.find(tag);
  queue->second.erase(number);
  if (queue->second.empty()) announced_.erase(queue);
  return true;
}

void TagMatch::clear() {
  posted_.clear();
  announced_.clear();
  messages_.clear();
}

}  // namespace hawser::engine
