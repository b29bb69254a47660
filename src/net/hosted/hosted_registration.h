// Registrations of a hosted plugin, and the set that owns them.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "memory/range.h"
#include "net/net.h"

namespace hawser {

struct HostedRegistration : Registration {
  void* memory_handle = nullptr;  // the plugin's
  MemoryRange range;

  bool holds(const void* data, std::size_t bytes) const {
    const auto* const start = static_cast<const std::byte*>(data);
    return start >= range.at(0) && bytes <= range.bytes &&
           static_cast<std::size_t>(start - range.at(0)) <= range.bytes - bytes;
  }
};

// Thread-safe. Takes part in no data path.
class RegistrationSet {
 public:
  HostedRegistration* add(HostedRegistration registration) {
    auto owned = std::make_unique<HostedRegistration>(registration);
    HostedRegistration* const key = owned.get();
    const std::lock_guard lock(mutex_);
    owned_.emplace(key, std::move(owned));
    return key;
  }
  // Takes it out; null where it is not (or no longer) one of these.
  std::unique_ptr<HostedRegistration> take(const Registration* registration) {
    const std::lock_guard lock(mutex_);
    const auto found = owned_.find(registration);
    if (found == owned_.end()) return nullptr;
    auto owned = std::move(found->second);
    owned_.erase(found);
    return owned;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return owned_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<const Registration*, std::unique_ptr<HostedRegistration>> owned_;
};

}  // namespace hawser
