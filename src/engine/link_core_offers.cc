// What the sides of a link tell each other of where they listen for a channel.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "engine/engine_core.h"
#include "engine/link_core.h"

namespace hawser::engine {
namespace {

// Between two beginnings of one channel, however often it is offered.
constexpr Milliseconds kOfferPause{100};

}  // namespace

void LinkCore::offer(int index, std::uint32_t generation, const Handle& handle, bool sends) {
  wire::ChannelOffer offer{static_cast<std::uint32_t>(index), generation, handle, sends};
  {
    const Lock lock(mutex_);
    const NicWay& way = slots_[static_cast<std::size_t>(index)].way;
    offer.client_device = way.client_device;
    offer.server_device = way.server_device;
    offer.client_endpoint = way.client_endpoint;
    offer.server_endpoint = way.server_endpoint;
  }
  tell(offer);
}

// The client's begins a channel, and says between which NICs; the server's answers it. The newest
// takes the place of what was begun before, and waits for its end: one at a time, however many are
// offered.
void LinkCore::on_offer(const wire::ChannelOffer& offer) {
  const bool own = terms_.client || is_peers(offer.handle);
  const Lock lock(mutex_);
  if (stage_.ending() || offer.channel >= slots_.size()) return;
  Slot& slot = slots_[offer.channel];
  if (terms_.client) {
    if (!slot.making || slot.making->generation() != offer.generation) return;
    if (offer.sends)
      slot.making->receive_from(offer.handle);
    else
      slot.making->set_peer_handle(offer.handle);
    return;
  }
  const std::uint32_t newest = slot.offered ? slot.offered->offer.generation : slot.generation;
  if (offer.generation <= newest || offer.sends) return;
  slot.offered = {offer, own};
  const Error anew(Code::cancelled, "the peer has begun the channel anew");
  if (slot.making) slot.making->cancel(anew);
  if (slot.channel) {
    slot.channel->ask_to_close(Error(Code::peer, anew.message()));
    workers_[offer.channel]->kick(*slot.channel);
  }
  begin_offered(slot, Clock::system().now());
}

// To where the peer has not said that it is this side does not connect: the peer is to do so.
void LinkCore::begin_offered(Slot& slot, TimePoint now) {
  if (!slot.offered || slot.making || stage_.ending() || now < slot.begun_at + kOfferPause) return;
  const auto [offer, own] = *std::exchange(slot.offered, std::nullopt);
  if (offer.client_device < terms_.there.size() && offer.server_device < terms_.here.size())
    slot.way = {offer.client_device, offer.server_device, offer.client_endpoint,
                offer.server_endpoint};
  Making::Turning turning = slot.turned ? Making::Turning::at_once : Making::Turning::where_needed;
  if (!own) {
    turning = Making::Turning::at_once;
    log_.take(LogLevel::warning,
              fmt::format("{}: channel {} is offered at an address that the peer has not said is "
                          "its own: it is not connected to, the peer is asked to connect",
                          terms_.peer, offer.channel));
  }
  slot.begun_at = now;
  begin_making(slot, static_cast<int>(offer.channel), offer.generation, turning);
  slot.making->set_peer_handle(offer.handle);
}

// Where the Net does not tell, there is nothing to go by; what is no handle fails later.
bool LinkCore::is_peers(const Handle& handle) const {
  const auto targets = engine_->net()->targets(handle);
  if (!targets.ok()) return true;
  return std::ranges::all_of(*targets, [this](const SocketAddress& target) {
    if (peer_address_ && peer_address_->same_address(target.ip)) return true;
    return std::ranges::any_of(terms_.there, [&](const LinkTerms::PeerEnd& end) {
      return std::ranges::any_of(end.addresses,
                                 [&](const IpAddress& one) { return one.same_address(target.ip); });
    });
  });
}

}  // namespace hawser::engine
