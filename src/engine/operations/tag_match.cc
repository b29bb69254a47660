#include "engine/operations/tag_match.h"

#include <fmt/core.h>

#include <utility>
#include <vector>

namespace hawser::engine {

Result<std::shared_ptr<Inbound>> TagMatch::add(std::uint64_t tag, Announced& message) {
  const auto waiting = posted_.find(tag);
  if (waiting != posted_.end()) {
    std::shared_ptr<Inbound> receive = std::move(waiting->second.front());
    waiting->second.pop_front();
    if (waiting->second.empty()) posted_.erase(waiting);
    receive->posted = false;
    return receive;
  }
  if (announced_count_ >= kMaxAnnounced)
    return Error(Code::peer,
                 fmt::format("{} messages have come that nobody receives", announced_count_));
  announced_[tag].push_back(std::move(message));
  ++announced_count_;
  return std::shared_ptr<Inbound>();
}

std::optional<Announced> TagMatch::add(const std::shared_ptr<Inbound>& receive) {
  const auto waiting = announced_.find(receive->tag);
  if (waiting == announced_.end()) {
    receive->posted = true;
    posted_[receive->tag].push_back(receive);
    return std::nullopt;
  }
  Announced message = std::move(waiting->second.front());
  waiting->second.pop_front();
  if (waiting->second.empty()) announced_.erase(waiting);
  --announced_count_;
  return message;
}

void TagMatch::remove(const std::shared_ptr<Inbound>& receive) {
  const auto queue = posted_.find(receive->tag);
  std::erase(queue->second, receive);
  if (queue->second.empty()) posted_.erase(queue);
}

bool TagMatch::remove_message(std::uint64_t peer_op) {
  for (auto at = announced_.begin(); at != announced_.end(); ++at) {
    const std::size_t erased = std::erase_if(
        at->second, [&](const Announced& message) { return message.peer_op == peer_op; });
    if (erased == 0) continue;
    if (at->second.empty()) announced_.erase(at);
    --announced_count_;
    return true;
  }
  return false;
}

void TagMatch::clear() {
  posted_.clear();
  announced_.clear();
  announced_count_ = 0;
}

}  // namespace hawser::engine
