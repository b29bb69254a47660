// A link's channels that go down: what was under way goes out again, once.
#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "engine/engine_core.h"
#include "engine/link_core.h"

namespace hawser::engine {
namespace {

constexpr Milliseconds kWarnAfter{200};
// Of one channel: a peer says at once what it has of one that went down.
constexpr std::size_t kMostUnresolved = 64;

}  // namespace

void LinkCore::channel_left(const LinkChannel& channel) {
  control_->send(wire::Left{static_cast<std::uint32_t>(channel.index()), channel.generation()});
}

void LinkCore::on_peer_left(const wire::Left& left) {
  const Lock lock(mutex_);
  if (left.channel >= slots_.size()) return;
  const auto& channel = slots_[left.channel].channel;
  if (channel == nullptr || channel->generation() != left.generation) return;
  channel->peer_left();
  workers_[left.channel]->kick(*channel);
}

void LinkCore::channel_closed(const LinkChannel& channel, const Error& why, const wire::Ack& taken,
                              Unacknowledged left) {
  {
    Lock lock(mutex_);
    Slot& slot = slots_[static_cast<std::size_t>(channel.index())];
    slot.bytes_sent += channel.bytes_sent();
    slot.bytes_received += channel.bytes_received();
    slot.bytes_again += channel.bytes_again();
    if (slot.channel.get() == &channel) slot.channel.reset();
    if (stage_.peer_closes() && live() == 0) end(lock, stage_.why());
    if (stage_.ending()) {
      finish_end(lock);
      return;
    }
    if (stage_.peer_closes()) return;
    const bool stalled = why.code() == Code::timeout || channel.suspicious();
    // The peer may have noticed first, and reset it.
    const bool lost_large =
        !channel.carries() && left.has_large(Clock::system().now() - stall() / 4);
    const bool barren = stalled && !channel.carries() && channel.bytes_received() == 0;
    // One that lasted has earned a fresh start.
    if (!lost_large && !barren && Clock::system().now() - slot.made_at > pause_after_failures(slot))
      slot.failures_in_a_row = 0;
    const Error told = lost_large ? loses_large(slot, why) : why;
    slot.doubted = lost_large || barren ||
                   (slot.doubted && !channel.carries() && channel.bytes_received() == 0);
    slot.small_packets = slot.doubted;
    failed(slot, told);
    if (trusted() == 0 && !none_live_since_) none_live_since_ = Clock::system().now();
    slot.untold = fmt::format("{}: channel {} ({}) is down: {}", terms_.peer, channel.index(),
                              end_of(slot.way).name, told.message());
    slot.untold_since = Clock::system().now();
    const auto known =
        std::ranges::find(slot.peer_down, channel.generation(), &wire::ChannelDown::generation);
    if (known == slot.peer_down.end()) {
      slot.unresolved.push_back({channel.generation(), std::move(left)});
      if (slot.unresolved.size() > kMostUnresolved)
        end(lock, Error(Code::peer, fmt::format("{} does not say what it has of channels that went "
                                                "down",
                                                terms_.peer)));
    } else {
      const wire::Ack peer_taken{known->frames, known->chunks};
      std::erase_if(slot.peer_down,
                    [&](const auto& down) { return down.generation <= channel.generation(); });
      resolve(slot, left, peer_taken, lock);
    }
    if (!control_lost_ || live() > 0)
      changed_.notify_all();
    else
      end(lock, Error(Code::peer, fmt::format("{} is gone: {}; {}", terms_.peer,
                                              control_lost_->message(), why.message())));
    if (stage_.ending()) return;
  }
  send_channel_down(channel, taken, why);
}

void LinkCore::channel_dropped(const LinkChannel& channel) {
  Lock lock(mutex_);
  Slot& slot = slots_[static_cast<std::size_t>(channel.index())];
  if (slot.channel.get() == &channel) slot.channel.reset();
  if (stage_.ending()) finish_end(lock);
}

void LinkCore::send_channel_down(const LinkChannel& channel, const wire::Ack& taken,
                                 const Error& why) {
  tell(wire::ChannelDown{static_cast<std::uint32_t>(channel.index()),
                         channel.generation(),
                         taken.frames,
                         taken.chunks,
                         {}},
       why.message());
}

// What the peer has taken in of a channel is known, and it takes in no more: the rest goes out on
// others, once.
void LinkCore::on_channel_down(const wire::ChannelDown& down) {
  Lock lock(mutex_);
  if (stage_.ending() || down.channel >= slots_.size()) return;
  Slot& slot = slots_[down.channel];
  const Error why(Code::peer, fmt::format("the peer gave it up: {}", down.reason));
  wire::ChannelDown kept = down;
  kept.reason = {};
  if (slot.offered && slot.offered->offer.generation == down.generation) slot.offered.reset();
  const bool said = std::ranges::find(slot.peer_down, down.generation,
                                      &wire::ChannelDown::generation) != slot.peer_down.end();
  if (slot.making && slot.making->generation() == down.generation) {
    if (!said) slot.peer_down.push_back(kept);  // it may have been made this moment
    slot.making->cancel(why);
    return;
  }
  const auto open = std::ranges::find(slot.unresolved, down.generation, &Unresolved::generation);
  if (open != slot.unresolved.end()) {
    Unacknowledged left = std::move(open->left);
    slot.unresolved.erase(open);
    resolve(slot, left, {down.frames, down.chunks}, lock);
    return;
  }
  if (slot.channel == nullptr || slot.channel->generation() != down.generation || said) return;
  slot.peer_down.push_back(kept);
  slot.channel->ask_to_close(why);
  workers_[down.channel]->kick(*slot.channel);
}

void LinkCore::resolve(Slot& slot, Unacknowledged& left, const wire::Ack& taken, Lock& lock) {
  std::vector<OutChunk> chunks;
  std::vector<MessagePtr> messages;
  if (left.allows(taken))
    left.take(
        taken,
        [&](Unacknowledged::Frame& frame) {
          std::move(frame.messages.begin(), frame.messages.end(), std::back_inserter(messages));
        },
        [&](Unacknowledged::Chunk& sent) { chunks.push_back(std::move(sent.chunk)); });
  for (const OutChunk& chunk : chunks) {
    slot.bytes_sent += chunk.ref.bytes;
    if (chunk.repeated) slot.bytes_again += chunk.ref.bytes;
  }
  ++resolving_;
  lock.unlock();
  operations_.acknowledged(chunks, messages);
  operations_.send_again(left.take_messages(), left.take_chunks());
  lock.lock();
  --resolving_;
}

// A link that is being ended loses its channels, too, some of them before the word that it ends
// comes: a warning waits for that.
void LinkCore::warn(TimePoint now) {
  for (Slot& slot : slots_) {
    if (slot.untold.empty() || now - slot.untold_since < kWarnAfter) continue;
    log_.take(LogLevel::warning, slot.untold);
    slot.untold.clear();
  }
}

}  // namespace hawser::engine
