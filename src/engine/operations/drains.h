// Regions that are being deregistered, on either side of a link.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "engine/wire.h"

namespace hawser::engine {

// Guarded by the mutex of whoever owns it.
class Drains {
 public:
  using Drained = std::function<void()>;

  // ---- regions of this side: the peer says when it has nothing under way with them ----
  // True: it is the first to wait: the peer is to be asked.
  bool wait(const wire::Key& key, Drained drained) {
    std::vector<Drained>& waiting = waiting_[key];
    waiting.push_back(std::move(drained));
    return waiting.size() == 1;
  }
  // Who waited; nobody: it was not asked for.
  std::vector<Drained> answered(const wire::Key& key) {
    const auto waiting = waiting_.extract(key);
    return waiting.empty() ? std::vector<Drained>() : std::move(waiting.mapped());
  }

  // ---- regions of the peer: nothing new is begun with them ----
  bool forbids(const wire::Key& key) const { return under_way_.contains(key); }
  void forbid(const wire::Key& key, std::size_t under_way) { under_way_[key] = under_way; }
  // Something with that region has ended. True: it was the last that was under way.
  bool count_down(const wire::Key& key) {
    const auto region = under_way_.find(key);
    if (region == under_way_.end() || --region->second > 0) return false;
    under_way_.erase(region);
    return true;
  }

  // The link has ended: all who waited.
  std::vector<Drained> clear() {
    std::vector<Drained> all;
    for (auto& [key, waiting] : std::exchange(waiting_, {}))
      for (Drained& drained : waiting) all.push_back(std::move(drained));
    under_way_.clear();
    return all;
  }

 private:
  std::map<wire::Key, std::vector<Drained>> waiting_;
  std::map<wire::Key, std::size_t> under_way_;
};

}  // namespace hawser::engine
