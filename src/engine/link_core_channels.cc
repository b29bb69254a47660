// A link's channels in the making, the first time and again.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "engine/engine_core.h"
#include "engine/link_core.h"

namespace hawser::engine {
namespace {

// A new attempt at a channel that went down.
constexpr Milliseconds kRemaking{5000};
constexpr int kMostDoublings = 4;

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

CommPlace LinkCore::place_of(const Slot& slot) const {
  const LinkTerms::End& end = end_of(slot.way);
  const std::size_t endpoint = terms_.client ? slot.way.client_endpoint : slot.way.server_endpoint;
  CommPlace place(end.device, end.gpu);
  if (endpoint < end.addresses.size()) place.address = end.addresses[endpoint];
  place.small_packets = slot.small_packets;
  return place;
}

void LinkCore::begin_making(Slot& slot, int index, std::uint32_t generation,
                            Making::Turning turning) {
  const std::weak_ptr<LinkCore> link = weak_from_this();
  Making::Outcome outcome;
  outcome.offer = [link, index, generation](const Handle& handle, bool sends) {
    if (const auto self = link.lock()) self->offer(index, generation, handle, sends);
  };
  outcome.made = [link](ChannelEnds ends) {
    if (const auto self = link.lock()) self->channel_made(std::move(ends));
  };
  outcome.failed = [link, index, generation](const Error& why) {
    if (const auto self = link.lock()) self->channel_not_made(index, generation, why);
  };
  slot.generation = generation;
  const Milliseconds bound = stage_.up() ? kRemaking : Milliseconds(terms_.timeout_ms);
  slot.making = std::make_shared<Making>(engine_->net(), place_of(slot), index, generation,
                                         Deadline::after(bound), std::move(outcome), turning);
  engine_->maker().add(slot.making);
}

void LinkCore::channel_made(ChannelEnds ends) {
  const auto index = static_cast<std::size_t>(ends.index);
  const std::uint32_t generation = ends.generation;
  const bool turned = ends.turned;
  auto channel = LinkChannel::create(shared_from_this(), std::move(ends));
  if (!channel.ok()) {
    channel_not_made(static_cast<int>(index), generation, channel.error());
    return;
  }
  Lock lock(mutex_);
  Slot& slot = slots_[index];
  if (stage_.ending() || generation != slot.generation || slot.channel || slot.offered) {
    lock.unlock();
    (*channel)->abandon();
    channel_not_made(static_cast<int>(index), generation,
                     Error(Code::cancelled, "the channel was begun anew, or is not needed"));
    return;
  }
  workers_[index]->add(*channel);  // first: what nobody drives would never end
  slot.making.reset();
  slot.settled = true;
  if (turned && !slot.turned)
    log_.take(LogLevel::info,
              fmt::format("{}: channel {} ({}): the client makes both connections, since this side "
                          "cannot connect to it",
                          terms_.peer, index, end_of(slot.way).name));
  slot.turned = turned;
  slot.channel = *channel;
  slot.made_at = Clock::system().now();
  // What is in doubt has not recovered before something large has passed.
  if (slot.doubted)
    slot.channel->doubt();
  else
    none_live_since_.reset();
  for (const wire::ChannelDown& down : slot.peer_down)
    if (down.generation == generation)
      slot.channel->ask_to_close(Error(Code::peer, "the peer gave it up at once"));
  if (generation > 1)
    log_.take(LogLevel::info, fmt::format("{}: channel {} ({}) is back", terms_.peer, index,
                                          end_of(slot.way).name));
  look_whether_up(lock);
}

// The peer may have it, and waits for word of what has been taken in: nothing. A client, who had
// this side connect to somewhere, hears no more than that.
void LinkCore::channel_not_made(int index, std::uint32_t generation, const Error& why) {
  {
    Lock lock(mutex_);
    Slot& slot = slots_[static_cast<std::size_t>(index)];
    std::erase_if(slot.peer_down, [&](const auto& down) { return down.generation == generation; });
    if (generation == slot.generation) {
      slot.making.reset();
      if (!slot.offered) not_made(slot, index, why, lock);
    }
    if (stage_.ending()) return;
    begin_offered(slot, Clock::system().now());
  }
  tell(wire::ChannelDown{static_cast<std::uint32_t>(index), generation, 0, 0, {}},
       terms_.client ? why.message() : "failed");
}

void LinkCore::not_made(Slot& slot, int index, const Error& why, Lock& lock) {
  slot.settled = true;
  slot.turned = false;
  failed(slot, why);
  log_.take(LogLevel::warning, fmt::format("{}: channel {} ({}) was not made: {}", terms_.peer,
                                           index, end_of(slot.way).name, why.message()));
  look_whether_up(lock);
}

void LinkCore::failed(Slot& slot, const Error& why) {
  ++slot.failures;
  slot.last_failure = why.message();
  slot.retry_at = Clock::system().now() + pause_after_failures(slot);
  ++slot.failures_in_a_row;
}

// The connection was made, so small packets pass.
Error LinkCore::loses_large(Slot& slot, const Error& why) const {
  const LinkTerms::End& end = end_of(slot.way);
  const std::string mtu = end.mtu == 0 ? "" : fmt::format(" ({} at {})", end.mtu, end.name);
  return Error(why.code(),
               fmt::format("{}; small packets pass there and large ones do not, as where the MTU{} "
                           "is not the same all along the way: set it so, or set "
                           "net.ipv4.tcp_mtu_probing=1; it is tried again with small packets",
                           why.message(), mtu));
}

void LinkCore::channel_carries(const LinkChannel& channel) {
  const Lock lock(mutex_);
  Slot& slot = slots_[static_cast<std::size_t>(channel.index())];
  if (slot.channel.get() != &channel) return;
  slot.doubted = false;
  none_live_since_.reset();
}

Milliseconds LinkCore::pause_after_failures(const Slot& slot) const {
  return engine_->retry() * (1 << std::min(slot.failures_in_a_row, kMostDoublings));
}

void LinkCore::retry(TimePoint now) {
  if (stage_.peer_closes()) return;
  for (Slot& slot : slots_) begin_offered(slot, now);
  if (!terms_.client || !stage_.up()) return;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (slot.channel || slot.making || now < slot.retry_at) continue;
    begin_making(slot, static_cast<int>(i), slot.generation + 1, Making::Turning::never);
  }
}

}  // namespace hawser::engine
