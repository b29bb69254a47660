#include "engine/nic_ways.h"

#include <algorithm>
#include <tuple>

namespace hawser::engine {
namespace {

bool in_one_network(const wire::Endpoint& a, const IpAddress& at_a, const wire::Endpoint& b,
                    const IpAddress& at_b) {
  const int bits = std::max(a.prefix_bits, b.prefix_bits);
  return a.prefix_bits > 0 && b.prefix_bits > 0 && at_a.same_network(at_b, bits);
}

// Whether there may be a way, and whether it needs no routes. Nothing: there is none.
std::optional<bool> way_between(const wire::Endpoint& a, const wire::Endpoint& b, bool same_stack) {
  const IpAddress at_a = address_of(a).ip, at_b = address_of(b).ip;
  if (at_a.family != at_b.family || at_a.link_local() != at_b.link_local()) return std::nullopt;
  if (same_stack) return at_a.loopback() == at_b.loopback();
  if (at_a.loopback() || at_b.loopback() || at_a.same_address(at_b)) return std::nullopt;
  return in_one_network(a, at_a, b, at_b) && !at_a.link_local();
}

// How often each device is used, and by which ways.
struct Choice {
  std::span<const NicWay> ways;
  std::vector<std::size_t> client_uses, server_uses;
  std::vector<NicWay> pairs;

  // The best way of those that `fit`: within a network, then the least used, then device n to n.
  template <class Fits>
  const NicWay* best(Fits&& fits) const {
    const NicWay* found = nullptr;
    const auto rank = [this](const NicWay& way) {
      const int apart = way.client_device - way.server_device;
      return std::tuple(!way.one_network,
                        client_uses[way.client_device] + server_uses[way.server_device], apart != 0,
                        way.client_device, way.server_device);
    };
    for (const NicWay& way : ways)
      if (fits(way) && (found == nullptr || rank(way) < rank(*found))) found = &way;
    return found;
  }
  void take(const NicWay& way) {
    ++client_uses[way.client_device];
    ++server_uses[way.server_device];
    pairs.push_back(way);
  }
};

}  // namespace

SocketAddress address_of(const wire::Endpoint& endpoint) {
  SocketAddress address;
  address.ip.family = endpoint.family == 6 ? IpFamily::ipv6 : IpFamily::ipv4;
  const std::size_t bytes = endpoint.family == 6 ? 16 : 4;
  std::copy_n(endpoint.address.begin(), bytes, address.ip.bytes.begin());
  address.port = endpoint.port;
  return address;
}

wire::Endpoint endpoint_of(const SocketAddress& address, int prefix_bits) {
  wire::Endpoint endpoint;
  endpoint.family = static_cast<std::uint8_t>(address.ip.family);
  endpoint.prefix_bits = static_cast<std::uint8_t>(std::clamp(prefix_bits, 0, 128));
  endpoint.port = address.port;
  endpoint.address = address.ip.bytes;
  return endpoint;
}

std::vector<NicWay> possible_ways(std::span<const wire::Device> client,
                                  std::span<const wire::Device> server, bool same_stack) {
  std::vector<NicWay> ways;
  for (std::size_t c = 0; c < client.size(); ++c)
    for (std::size_t s = 0; s < server.size(); ++s) {
      NicWay way{static_cast<std::uint16_t>(c), static_cast<std::uint16_t>(s)};
      if (client[c].endpoints.empty() || server[s].endpoints.empty()) {
        ways.push_back(way);
        continue;
      }
      for (std::size_t a = 0; a < client[c].endpoints.size(); ++a)
        for (std::size_t b = 0; b < server[s].endpoints.size(); ++b) {
          const auto found =
              way_between(client[c].endpoints[a], server[s].endpoints[b], same_stack);
          if (!found) continue;
          way.client_endpoint = static_cast<std::uint8_t>(a);
          way.server_endpoint = static_cast<std::uint8_t>(b);
          way.one_network = *found;
          ways.push_back(way);
        }
    }
  std::ranges::stable_sort(ways, {}, [](const NicWay& way) { return !way.one_network; });
  return ways;
}

std::vector<NicWay> pair_nics(std::span<const NicWay> ways, std::size_t client_devices,
                              std::size_t server_devices) {
  Choice choice{
      ways, std::vector<std::size_t>(client_devices), std::vector<std::size_t>(server_devices), {}};
  while (const NicWay* const way = choice.best([&](const NicWay& one) {
    return choice.client_uses[one.client_device] == 0 && choice.server_uses[one.server_device] == 0;
  }))
    choice.take(*way);
  while (const NicWay* const way = choice.best([&](const NicWay& one) {
    return choice.client_uses[one.client_device] == 0 || choice.server_uses[one.server_device] == 0;
  }))
    choice.take(*way);
  return std::move(choice.pairs);
}

}  // namespace hawser::engine
