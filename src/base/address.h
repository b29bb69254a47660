// IPv4 and IPv6 addresses, and how they are found by name.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace hawser {

enum class IpFamily : std::uint8_t { ipv4 = 4, ipv6 = 6 };

const char* ip_family_name(IpFamily family);  // "IPv4", "IPv6"

// A value, with the scope that a link-local address needs. Bytes are in network order; an IPv4
// address fills the first four. One in IPv6's clothes (::ffff:192.0.2.7, as a listener of both
// families sees an IPv4 client) is an IPv4 address.
struct IpAddress {
  IpFamily family = IpFamily::ipv4;
  std::array<std::byte, 16> bytes{};
  std::uint32_t scope = 0;  // interface index, for IPv6 link-local only

  // Nothing for a family other than AF_INET and AF_INET6.
  static std::optional<IpAddress> from(const sockaddr* address);
  static std::optional<IpAddress> parse(const std::string& text);  // no scope, no port

  bool link_local() const;   // fe80::/10
  bool loopback() const;     // 127.0.0.0/8, ::1
  std::string text() const;  // "192.0.2.7", "fe80::1%2"

  // Same family and bytes. The scope is local to a machine, so it does not count.
  bool same_address(const IpAddress& other) const;
  // Likewise, of so many bits; never of different families.
  bool same_network(const IpAddress& other, int prefix_bits) const;
};

// An address and a TCP port, as the socket calls want it and as people read it.
struct SocketAddress {
  IpAddress ip;
  std::uint16_t port = 0;

  static std::optional<SocketAddress> from(const sockaddr* address);
  std::string text() const;  // "192.0.2.7:4000", "[fe80::1%2]:4000"

  // Fills `storage` and returns the length that belongs to it.
  socklen_t fill(sockaddr_storage& storage) const;

  bool operator==(const SocketAddress& other) const {
    return port == other.port && ip.same_address(other.ip);
  }
};

namespace sockets {

inline constexpr std::size_t kMaxAddresses = 16;  // of one host name

enum class Use { listen, connect };

// The addresses of a name or a numeric address ("[::1]" too), at most kMaxAddresses. A name may
// take as long as the machine's resolver lets it. Code::unavailable: nobody knows that
// name, now; Code::invalid_argument: that is no name.
Result<std::vector<SocketAddress>> resolve(const std::string& host, std::uint16_t port, Use use);

// "192.0.2.7:20000", or "[fd00::2]:20000" for a host that has colons in it.
std::string host_and_port(const std::string& host, std::uint16_t port);

}  // namespace sockets

}  // namespace hawser
