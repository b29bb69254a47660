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

  // ---- regions of the peer: nothing new is begun with those that are forbidden ----
  bool forbids(const wire::Key& key) const {
    const auto region = peers_.find(key);
    return region != peers_.end() && region->second.forbidden;
  }
  void begin(const wire::Key& key) { ++peers_[key].under_way; }
  // Until the last that is under way has ended. False: nothing is.
  bool forbid(const wire::Key& key) {
    const auto region = peers_.find(key);
    if (region == peers_.end()) return false;
    return region->second.forbidden = true;
  }
  // Something with that region has ended. True: it was the last of one that is forbidden.
  bool end(const wire::Key& key) {
    const auto region = peers_.find(key);
    if (region == peers_.end() || --region->second.under_way > 0) return false;
    const bool forbidden = region->second.forbidden;
    peers_.erase(region);
    return forbidden;
  }

  // The link has ended: all who waited.
  std::vector<Drained> clear() {
    std::vector<Drained> all;
    for (auto& [key, waiting] : std::exchange(waiting_, {}))
      for (Drained& drained : waiting) all.push_back(std::move(drained));
    peers_.clear();
    return all;
  }

 private:
  std::map<wire::Key, std::vector<Drained>> waiting_;
  struct PeerRegion {
    std::size_t under_way = 0;
    bool forbidden = false;
  };
  std::map<wire::Key, PeerRegion> peers_;  // with something under way
};

}  // namespace hawser::engine
