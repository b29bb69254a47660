#include "base/address.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netdb.h>

#include <cstring>
#include <memory>

namespace hawser {
namespace {

std::size_t bytes_of(IpFamily family) {
  return family == IpFamily::ipv4 ? 4 : 16;
}
int af_of(IpFamily family) {
  return family == IpFamily::ipv4 ? AF_INET : AF_INET6;
}

// Socket addresses are copied, not cast: the kernel's buffers promise no type and no alignment.
template <class T>
T read_as(const sockaddr* address) {
  T typed;
  std::memcpy(&typed, address, sizeof typed);
  return typed;
}

IpAddress from_v4(const sockaddr_in& address) {
  IpAddress ip;
  std::memcpy(ip.bytes.data(), &address.sin_addr, 4);
  return ip;
}

IpAddress from_v6(const sockaddr_in6& address) {
  IpAddress ip;
  if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
    std::memcpy(ip.bytes.data(), &address.sin6_addr.s6_addr[12], 4);
    return ip;
  }
  ip.family = IpFamily::ipv6;
  std::memcpy(ip.bytes.data(), &address.sin6_addr, 16);
  if (ip.link_local()) ip.scope = address.sin6_scope_id;
  return ip;
}

std::string without_brackets(const std::string& host) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return bracketed ? host.substr(1, host.size() - 2) : host;
}

// A name that is not known may be so soon: a machine that has just been started. What has other
// characters than a name's is none.
Error resolve_error(const std::string& host, int problem) {
  const bool name = host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                           "0123456789.-_") == std::string::npos;
  return Error(name ? Code::unavailable : Code::invalid_argument,
               fmt::format("cannot find the address '{}': {}", host, ::gai_strerror(problem)));
}

}  // namespace

const char* ip_family_name(IpFamily family) {
  return family == IpFamily::ipv4 ? "IPv4" : "IPv6";
}

std::optional<IpAddress> IpAddress::from(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  if (address->sa_family == AF_INET) return from_v4(read_as<sockaddr_in>(address));
  if (address->sa_family == AF_INET6) return from_v6(read_as<sockaddr_in6>(address));
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::parse(const std::string& text) {
  IpAddress ip;
  for (const IpFamily family : {IpFamily::ipv4, IpFamily::ipv6}) {
    ip.family = family;
    if (inet_pton(af_of(family), text.c_str(), ip.bytes.data()) == 1) return ip;
  }
  return std::nullopt;
}

bool IpAddress::link_local() const {
  return family == IpFamily::ipv6 && bytes[0] == std::byte{0xfe} &&
         (bytes[1] & std::byte{0xc0}) == std::byte{0x80};
}

bool IpAddress::loopback() const {
  if (family == IpFamily::ipv4) return bytes[0] == std::byte{127};
  return std::memcmp(bytes.data(), &in6addr_loopback, bytes.size()) == 0;
}

std::string IpAddress::text() const {
  char buffer[INET6_ADDRSTRLEN];
  std::string out = inet_ntop(af_of(family), bytes.data(), buffer, sizeof buffer);
  if (scope != 0) out += fmt::format("%{}", scope);
  return out;
}

bool IpAddress::same_address(const IpAddress& other) const {
  return family == other.family &&
         std::memcmp(bytes.data(), other.bytes.data(), bytes_of(family)) == 0;
}

bool IpAddress::same_network(const IpAddress& other, int prefix_bits) const {
  if (family != other.family) return false;
  const std::size_t bits = std::min(static_cast<std::size_t>(prefix_bits), 8 * bytes_of(family));
  if (std::memcmp(bytes.data(), other.bytes.data(), bits / 8) != 0) return false;
  if (bits % 8 == 0) return true;
  const unsigned differing = std::to_integer<unsigned>(bytes[bits / 8] ^ other.bytes[bits / 8]);
  return differing >> (8 - bits % 8) == 0;
}

std::optional<SocketAddress> SocketAddress::from(const sockaddr* address) {
  const auto ip = IpAddress::from(address);
  if (!ip) return std::nullopt;
  const in_port_t port = address->sa_family == AF_INET ? read_as<sockaddr_in>(address).sin_port
                                                       : read_as<sockaddr_in6>(address).sin6_port;
  return SocketAddress{*ip, ntohs(port)};
}

std::string SocketAddress::text() const {
  if (ip.family == IpFamily::ipv4) return fmt::format("{}:{}", ip.text(), port);
  return fmt::format("[{}]:{}", ip.text(), port);
}

socklen_t SocketAddress::fill(sockaddr_storage& storage) const {
  std::memset(&storage, 0, sizeof storage);
  if (ip.family == IpFamily::ipv4) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    std::memcpy(&address.sin_addr, ip.bytes.data(), 4);
    std::memcpy(&storage, &address, sizeof address);
    return sizeof address;
  }
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_scope_id = ip.scope;
  std::memcpy(&address.sin6_addr, ip.bytes.data(), 16);
  std::memcpy(&storage, &address, sizeof address);
  return sizeof address;
}

namespace sockets {

Result<std::vector<SocketAddress>> resolve(const std::string& host, std::uint16_t port, Use use) {
  if (host.empty()) return Error(Code::invalid_argument, "an address is missing");
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (use == Use::listen ? AI_PASSIVE : 0);
  addrinfo* found = nullptr;
  const int problem = ::getaddrinfo(without_brackets(host).c_str(), fmt::format("{}", port).c_str(),
                                    &hints, &found);
  if (problem != 0) return resolve_error(host, problem);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(found, ::freeaddrinfo);

  std::vector<SocketAddress> out;
  for (const addrinfo* it = found; it != nullptr && out.size() < kMaxAddresses; it = it->ai_next)
    if (const auto address = SocketAddress::from(it->ai_addr)) out.push_back(*address);
  if (out.empty()) return resolve_error(host, EAI_NONAME);
  return out;
}

std::string host_and_port(const std::string& host, std::uint16_t port) {
  const std::string bare = without_brackets(host);
  return bare.find(':') == std::string::npos ? fmt::format("{}:{}", bare, port)
                                             : fmt::format("[{}]:{}", bare, port);
}

}  // namespace sockets
}  // namespace hawser
