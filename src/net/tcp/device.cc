#include "net/tcp/device.h"

#include <algorithm>

namespace hawser::tcp {

bool Path::has(const IpAddress& ip) const {
  return std::ranges::any_of(addresses,
                             [&](const Address& one) { return one.ip.same_address(ip); });
}

const IpAddress& Path::source_for(const IpAddress& target,
                                  const std::optional<IpAddress>& preferred) const {
  const auto find = [this](const auto& wanted) {
    const auto found = std::ranges::find_if(addresses, wanted);
    return found == addresses.end() ? nullptr : &found->ip;
  };
  if (const IpAddress* const named = find([&](const Address& one) {
        return preferred && one.ip.same_address(*preferred) && one.ip.family == target.family;
      }))
    return *named;
  if (const IpAddress* const near = find([&](const Address& one) {
        return one.prefix_bits > 0 && one.ip.same_network(target, one.prefix_bits);
      }))
    return *near;
  const IpAddress* const kin = find([&](const Address& one) {
    return one.ip.family == target.family && one.ip.link_local() == target.link_local();
  });
  return kin != nullptr ? *kin : address();
}

}  // namespace hawser::tcp
