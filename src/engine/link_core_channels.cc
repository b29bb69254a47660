// A link's channels: made, given up, and made again.
#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "engine/engine_core.h"
#include "engine/link_core.h"

namespace hawser::engine {
namespace {

// A new attempt at a channel that went down.
constexpr Milliseconds kRemaking{5000};
constexpr int kMostDoublings = 4;
constexpr Milliseconds kWarnAfter{200};

}  // namespace

// Over channels and the control connection alike, whichever gets there: any of them may be dead
// without a word. What comes twice is known by its generation.
void LinkCore::tell(wire::Record record, std::string text) {
  auto message = std::make_shared<Message>();
  const auto bytes = std::as_bytes(std::span(text));
  message->bytes.assign(bytes.begin(), bytes.end());
  if (auto* const down = std::get_if<wire::ChannelDown>(&record))
    down->reason = {reinterpret_cast<const char*>(message->bytes.data()), message->bytes.size()};
  message->record = record;
  bool by_channel = false;
  bool by_control = false;
  {
    const Lock lock(mutex_);
    by_channel = stage_.up() && live() > 0;
    by_control = !control_lost_;
  }
  if (by_control) control_->send(message->record);
  if (by_channel) operations_.post_unordered(std::move(message));
}

// ---- channels in the making ----

void LinkCore::begin_making(Slot& slot, int index, std::uint32_t generation,
                            const Handle* peer_handle) {
  const std::weak_ptr<LinkCore> link = weak_from_this();
  Making::Outcome outcome;
  outcome.offer = [link, index, generation](const Handle& handle) {
    if (const auto self = link.lock()) self->offer(index, generation, handle);
  };
  outcome.made = [link](ChannelEnds ends) {
    if (const auto self = link.lock()) self->channel_made(std::move(ends));
  };
  outcome.failed = [link, index, generation](const Error& why) {
    if (const auto self = link.lock()) self->channel_not_made(index, generation, why);
  };
  slot.generation = generation;
  const Milliseconds bound = stage_.up() ? kRemaking : Milliseconds(terms_.timeout_ms);
  const LinkTerms::Channel& channel = terms_.channels[static_cast<std::size_t>(index)];
  slot.making =
      std::make_shared<Making>(engine_->net(), CommPlace(channel.device, channel.gpu), index,
                               generation, Deadline::after(bound), std::move(outcome));
  if (peer_handle != nullptr) slot.making->set_peer_handle(*peer_handle);
  engine_->maker().add(slot.making);
}

void LinkCore::offer(int index, std::uint32_t generation, const Handle& handle) {
  tell(wire::ChannelOffer{static_cast<std::uint32_t>(index), generation, handle});
}

// The client's begins a channel, the server's answers it.
void LinkCore::on_offer(const wire::ChannelOffer& offer) {
  const Lock lock(mutex_);
  if (stage_.ending() || offer.channel >= slots_.size()) return;
  Slot& slot = slots_[offer.channel];
  if (terms_.client) {
    if (slot.making && slot.making->generation() == offer.generation)
      slot.making->set_peer_handle(offer.handle);
    return;
  }
  if (offer.generation <= slot.generation) return;
  if (slot.making)
    slot.making->cancel(Error(Code::cancelled, "the peer has begun the channel anew"));
  if (slot.channel) {
    slot.channel->ask_to_close(Error(Code::peer, "the peer has begun the channel anew"));
    workers_[offer.channel]->kick(*slot.channel);
  }
  begin_making(slot, static_cast<int>(offer.channel), offer.generation, &offer.handle);
}

void LinkCore::channel_made(ChannelEnds ends) {
  const auto index = static_cast<std::size_t>(ends.index);
  const std::uint32_t generation = ends.generation;
  auto channel = LinkChannel::create(shared_from_this(), std::move(ends));
  if (!channel.ok()) {
    channel_not_made(static_cast<int>(index), generation, channel.error());
    return;
  }
  Lock lock(mutex_);
  Slot& slot = slots_[index];
  if (stage_.ending() || generation != slot.generation || slot.channel) {
    lock.unlock();
    (*channel)->abandon();
    channel_not_made(static_cast<int>(index), generation,
                     Error(Code::cancelled, "the channel was begun anew, or is not needed"));
    return;
  }
  slot.making.reset();
  slot.settled = true;
  slot.channel = *channel;
  slot.made_at = Clock::system().now();
  none_live_since_.reset();
  for (const wire::ChannelDown& down : slot.peer_down)
    if (down.generation == generation)
      slot.channel->ask_to_close(Error(Code::peer, "the peer gave it up at once"));
  workers_[index]->add(*channel);
  if (generation > 1)
    log_info("{}: channel {} ({}) is back", terms_.peer, index, terms_.channels[index].device_name);
  look_whether_up(lock);
}

// The peer may have it, and waits for word of what has been taken in: nothing.
void LinkCore::channel_not_made(int index, std::uint32_t generation, const Error& why) {
  {
    Lock lock(mutex_);
    Slot& slot = slots_[static_cast<std::size_t>(index)];
    std::erase_if(slot.peer_down, [&](const auto& down) { return down.generation == generation; });
    if (generation == slot.generation) {
      slot.making.reset();
      slot.settled = true;
      failed(slot, why);
      log_warning("{}: channel {} ({}) was not made: {}", terms_.peer, index,
                  terms_.channels[static_cast<std::size_t>(index)].device_name, why.message());
      look_whether_up(lock);
    }
    if (stage_.ending()) return;
  }
  tell(wire::ChannelDown{static_cast<std::uint32_t>(index), generation, 0, 0, {}}, why.message());
}

void LinkCore::failed(Slot& slot, const Error& why) {
  ++slot.failures;
  slot.last_failure = why.message();
  slot.retry_at = Clock::system().now() + pause_after_failures(slot);
  ++slot.failures_in_a_row;
}

Milliseconds LinkCore::pause_after_failures(const Slot& slot) const {
  return engine_->retry() * (1 << std::min(slot.failures_in_a_row, kMostDoublings));
}

// ---- channels that end ----

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
    // One that lasted has earned a fresh start.
    if (Clock::system().now() - slot.made_at > pause_after_failures(slot))
      slot.failures_in_a_row = 0;
    failed(slot, why);
    if (live() == 0) none_live_since_ = Clock::system().now();
    slot.untold = fmt::format(
        "{}: channel {} ({}) is down: {}", terms_.peer, channel.index(),
        terms_.channels[static_cast<std::size_t>(channel.index())].device_name, why.message());
    slot.untold_since = Clock::system().now();
    const auto known =
        std::ranges::find(slot.peer_down, channel.generation(), &wire::ChannelDown::generation);
    if (known == slot.peer_down.end()) {
      slot.unresolved.push_back({channel.generation(), std::move(left)});
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
  if (slot.making && slot.making->generation() == down.generation) {
    slot.peer_down.push_back(kept);  // it may have been made this moment
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
  if (slot.channel == nullptr || slot.channel->generation() != down.generation) return;
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
  lock.unlock();
  operations_.acknowledged(chunks, messages);
  operations_.send_again(left.take_messages(), left.take_chunks());
  lock.lock();
}

// ---- and made again ----

// A link that is being ended loses its channels, too, some of them before the word that it ends
// comes: a warning waits for that.
void LinkCore::warn(TimePoint now) {
  for (Slot& slot : slots_) {
    if (slot.untold.empty() || now - slot.untold_since < kWarnAfter) continue;
    log_warning("{}", slot.untold);
    slot.untold.clear();
  }
}

void LinkCore::retry(TimePoint now) {
  if (!terms_.client) return;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (slot.channel || slot.making || now < slot.retry_at) continue;
    begin_making(slot, static_cast<int>(i), slot.generation + 1, nullptr);
  }
}

}  // namespace hawser::engine
