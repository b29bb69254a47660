// Which of a link's channels sends what, and whom the peer is heard on.
#include <algorithm>

#include "engine/engine_core.h"
#include "engine/link_core.h"

namespace hawser::engine {

// ---- who sends what ----

// Whoever sleeps is woken: one for a little, all for much.
void LinkCore::wake(std::uint64_t bytes) {
  const Lock lock(mutex_);
  if (bytes <= terms_.chunk_bytes) {
    if (LinkChannel* const best = best_channel(bytes))
      workers_[static_cast<std::size_t>(best->index())]->kick(*best);
    return;
  }
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].channel) workers_[i]->kick(*slots_[i].channel);
}

// Of the channels that are up, and do not stand still.
LinkLoad LinkCore::load() const {
  LinkLoad all;
  for (const Slot& slot : slots_)
    if (slot.channel != nullptr && !slot.channel->suspicious()) all.add(slot.channel->load());
  return all;
}

LinkChannel* LinkCore::best_channel(std::uint64_t bytes) const {
  LinkChannel* best = nullptr;
  double soonest = 0;
  const LinkLoad all = load();
  for (const Slot& slot : slots_) {
    if (slot.channel == nullptr || slot.channel->suspicious()) continue;
    const double end = all.finish(slot.channel->load(), bytes);
    if (best != nullptr && end >= soonest) continue;
    soonest = end;
    best = slot.channel.get();
  }
  return best;
}

// Who leaves it to a better one sees to it that this one knows: rates may have changed since it was
// last woken, and a channel with nothing on its way hears of nothing.
bool LinkCore::may_take(const LinkChannel& channel) const {
  const Lock lock(mutex_);
  const std::uint64_t unsent = operations_.unsent_bytes();
  if (load().may_take(channel.load(), unsent, terms_.chunk_bytes)) return true;
  LinkChannel* const best = best_channel(std::min<std::uint64_t>(unsent, terms_.chunk_bytes));
  if (best != nullptr && best != &channel && best->load().outstanding == 0)
    workers_[static_cast<std::size_t>(best->index())]->kick(*best);
  return false;
}

// ---- signs of life ----

TimePoint LinkCore::heard_elsewhere(const LinkChannel& channel) const {
  const Lock lock(mutex_);
  TimePoint heard{};
  for (const Slot& slot : slots_)
    if (slot.channel && slot.channel.get() != &channel)
      heard = std::max(heard, slot.channel->heard_at());
  return heard;
}

bool LinkCore::carried_elsewhere(const LinkChannel& channel) const {
  const Lock lock(mutex_);
  return std::ranges::any_of(slots_, [&](const Slot& slot) {
    return slot.channel && slot.channel.get() != &channel && slot.channel->carries();
  });
}

TimePoint LinkCore::heard_on_control() const {
  return control_->heard_at();
}

// A question on every channel, at most once in a while. It wakes them, too: they take over messages
// that were left to one that stands still.
void LinkCore::ask_for_a_sign(TimePoint now) {
  TimePoint last = asked_at_.load(std::memory_order_relaxed);
  if (now - last < stall() / 4 || !asked_at_.compare_exchange_strong(last, now)) return;
  const Lock lock(mutex_);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].channel == nullptr) continue;
    slots_[i].channel->ask_for_a_sign();
    workers_[i]->kick(*slots_[i].channel);
  }
}

}  // namespace hawser::engine
