#include "engine/way_probe.h"

#include <algorithm>
#include <memory>
#include <optional>

namespace hawser::engine {
namespace {

constexpr Milliseconds kProbing{1000};
constexpr std::size_t kMostProbes = 256;

struct Attempt {
  NicWay way;
  std::unique_ptr<Probe> probe;
  std::optional<bool> reached;
};

std::vector<Attempt> begin(Net& net, std::span<const int> devices,
                           std::span<const wire::Device> client,
                           std::span<const wire::Device> server, bool same_stack) {
  std::vector<Attempt> attempts;
  for (const NicWay& way : possible_ways(client, server, same_stack)) {
    const wire::Device& here = client[way.client_device];
    const wire::Device& there = server[way.server_device];
    if (attempts.size() == kMostProbes || here.endpoints.empty() || there.endpoints.empty()) break;
    CommPlace from(devices[way.client_device]);
    from.address = address_of(here.endpoints[way.client_endpoint]).ip;
    const wire::Endpoint& to = there.endpoints[way.server_endpoint];
    auto probe = net.probe(from, {address_of(to), to.prefix_bits});
    if (probe == nullptr) return {};
    attempts.push_back({way, std::move(probe), std::nullopt});
  }
  return attempts;
}

// True: something has been found out.
bool look(std::vector<Attempt>& attempts) {
  bool moved = false;
  for (Attempt& attempt : attempts) {
    if (attempt.reached) continue;
    attempt.reached = attempt.probe->reached();
    moved = moved || attempt.reached;
  }
  return moved;
}

// Of those that are reached, and of those of which it is not known yet.
std::vector<NicWay> pairs_of(const std::vector<Attempt>& attempts, bool with_unknown,
                             std::size_t client, std::size_t server) {
  std::vector<NicWay> ways;
  for (const Attempt& attempt : attempts)
    if (attempt.reached.value_or(with_unknown)) ways.push_back(attempt.way);
  return pair_nics(ways, client, server);
}

bool same_way(const NicWay& a, const NicWay& b) {
  return a.client_device == b.client_device && a.server_device == b.server_device &&
         a.client_endpoint == b.client_endpoint && a.server_endpoint == b.server_endpoint;
}

}  // namespace

std::vector<NicWay> pairs_that_reach(Net& net, std::span<const int> devices,
                                     std::span<const wire::Device> client,
                                     std::span<const wire::Device> server, bool same_stack,
                                     const Deadline& deadline) {
  std::vector<Attempt> attempts = begin(net, devices, client, server, same_stack);
  const Deadline enough = deadline.remaining() < kProbing ? deadline : Deadline::after(kProbing);
  for (Backoff backoff; !attempts.empty(); backoff.idle()) {
    const bool moved = look(attempts);
    const bool over = enough.expired();
    if (!moved && !over) continue;
    std::vector<NicWay> known = pairs_of(attempts, false, client.size(), server.size());
    if (over ||
        std::ranges::equal(known, pairs_of(attempts, true, client.size(), server.size()), same_way))
      return known;
  }
  return {};
}

}  // namespace hawser::engine
