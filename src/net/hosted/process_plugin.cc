#include "net/hosted/process_plugin.h"

#include <fmt/core.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <mutex>

namespace hawser {

Result<bool> CreationTurn::try_take(const char* plugin, const CallNote& call) {
  const std::lock_guard lock(mutex_);
  if (!holder_) {
    holder_ = Holder{call_text(call), static_cast<int>(::gettid()), clock_.now()};
    return true;
  }
  if (clock_.now() - holder_->since < kPatience) return false;
  return stuck_locked(plugin, call);
}

Status CreationTurn::take(const char* plugin, const CallNote& call) {
  for (Backoff backoff;; backoff.idle()) {
    HAWSER_ASSIGN(const bool taken, try_take(plugin, call));
    if (taken) return {};
  }
}

void CreationTurn::give_back() {
  const std::lock_guard lock(mutex_);
  holder_.reset();
}

Error CreationTurn::stuck_locked(const char* plugin, const CallNote& call) const {
  const auto since = std::chrono::duration_cast<Milliseconds>(clock_.now() - holder_->since);
  return Error(Code::timeout,
               fmt::format("{}: {} was not made: the plugin takes such calls one at a time, and {} "
                           "in thread {} has not come back for {:.1f} s: does what it waits for "
                           "(the receive manager, say) answer?",
                           plugin, call_text(call), holder_->call, holder_->thread,
                           static_cast<double>(since.count()) / 1000));
}

// Never destroyed: threads of plugins outlive exit().
ProcessPlugin& ProcessPlugin::of(const void* table) {
  static auto* const mutex = new std::mutex;
  static auto* const all = new std::map<const void*, std::unique_ptr<ProcessPlugin>>;
  const std::lock_guard lock(*mutex);
  std::unique_ptr<ProcessPlugin>& plugin = (*all)[table];
  if (plugin == nullptr) plugin = std::make_unique<ProcessPlugin>();
  return *plugin;
}

}  // namespace hawser
