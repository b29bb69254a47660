#include "engine/peer_limits.h"

#include <fmt/core.h>

#include "base/fd.h"
#include "base/parameters.h"

namespace hawser::engine {
namespace {

Status read(const Parameter& parameter, std::uint64_t& to) {
  HAWSER_ASSIGN(const std::int64_t number, parameter.integer());
  to = static_cast<std::uint64_t>(number);
  return {};
}

// Links that come have three eighths of the process's descriptors if they are of one address, and
// half of them in all: the rest is further sockets', strangers' and the program's.
std::uint64_t peer_part() {
  return descriptor_limit() / 8 * 3;
}
std::uint64_t engine_part() {
  return descriptor_limit() / 2;
}

Status check_descriptors(std::uint64_t wanted, std::string_view whose, std::uint64_t given,
                         std::uint64_t part, const Parameter& parameter) {
  const std::uint64_t most = given != 0 ? given : part;
  if (wanted <= most) return {};
  return Error(
      Code::peer,
      fmt::format("{} descriptors for the links of {} are more than {} ({}): raise that or "
                  "`ulimit -n`, or ask for fewer channels",
                  wanted, whose, most, parameter.name));
}

}  // namespace

std::string address_of_peer(const std::string& peer) {
  return peer.substr(0, peer.rfind(':'));
}

PeerLimits::PeerLimits(const Numbers& numbers)
    : numbers_(numbers),
      all_(Budget::make("bytes that all peers make this side keep",
                        std::string(parameters::kEnginePeerBytes.name), numbers.engine_bytes)) {}

Result<std::unique_ptr<PeerLimits>> PeerLimits::create() {
  Numbers numbers;
  HAWSER_TRY(read(parameters::kLinkPeerBytes, numbers.link_bytes));
  HAWSER_TRY(read(parameters::kPeerBytes, numbers.peer_bytes));
  HAWSER_TRY(read(parameters::kEnginePeerBytes, numbers.engine_bytes));
  HAWSER_TRY(read(parameters::kLinkChannels, numbers.channels));
  HAWSER_TRY(read(parameters::kLinksPerPeer, numbers.links));
  HAWSER_TRY(read(parameters::kPeerDescriptors, numbers.peer_descriptors));
  HAWSER_TRY(read(parameters::kEngineDescriptors, numbers.engine_descriptors));
  return std::unique_ptr<PeerLimits>(new PeerLimits(numbers));
}

std::shared_ptr<Budget> PeerLimits::for_link(const std::string& peer) {
  const std::string address = address_of_peer(peer);
  const std::lock_guard lock(mutex_);
  std::erase_if(of_peers_, [](const auto& known) { return known.second.expired(); });
  std::weak_ptr<Budget>& known = of_peers_[address];
  std::shared_ptr<Budget> of_peer = known.lock();
  if (of_peer == nullptr)
    known = of_peer =
        Budget::make(fmt::format("bytes that {} makes this side keep", address),
                     std::string(parameters::kPeerBytes.name), numbers_.peer_bytes, all_);
  return Budget::make(fmt::format("bytes that {} makes this side keep", peer),
                      std::string(parameters::kLinkPeerBytes.name), numbers_.link_bytes,
                      std::move(of_peer));
}

Status PeerLimits::admit(const Taken& taken, std::size_t channels) const {
  if (taken.links_of_peer >= numbers_.links)
    return Error(Code::peer, fmt::format("{} links of this address are open already ({})",
                                         taken.links_of_peer, parameters::kLinksPerPeer.name));
  const std::uint64_t more = descriptors_of(channels);
  HAWSER_TRY(check_descriptors(taken.descriptors_of_peer + more, "one address",
                               numbers_.peer_descriptors, peer_part(),
                               parameters::kPeerDescriptors));
  return check_descriptors(taken.descriptors + more, "all peers", numbers_.engine_descriptors,
                           engine_part(), parameters::kEngineDescriptors);
}

}  // namespace hawser::engine
