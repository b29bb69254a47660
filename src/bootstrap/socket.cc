#include "bootstrap/socket.h"

#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace hawser::sockets {
namespace {

constexpr int kBacklog = 128;

// How the kernel looks for a dead peer: probes after 5 s of quiet, every 2 s, three of them; and
// no more than 10 s for the peer to acknowledge what was sent.
constexpr int kKeepaliveIdleSeconds = 5;
constexpr int kKeepaliveIntervalSeconds = 2;
constexpr int kKeepaliveProbes = 3;
constexpr int kUserTimeoutMs = 10000;

std::string without_brackets(const std::string& host) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return bracketed ? host.substr(1, host.size() - 2) : host;
}

Error resolve_error(const std::string& host, int problem) {
  const bool later = problem == EAI_AGAIN || problem == EAI_MEMORY || problem == EAI_SYSTEM;
  return Error(later ? Code::unavailable : Code::invalid_argument,
               fmt::format("cannot find the address '{}': {}", host, ::gai_strerror(problem)));
}

// ::ffff:192.0.2.7, as a dual-stack listener sees an IPv4 client, is shown as 192.0.2.7.
Address without_mapping(const Address& address) {
  if (address.family() != AF_INET6) return address;
  sockaddr_in6 v6;
  std::memcpy(&v6, &address.storage, sizeof v6);
  if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return address;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = v6.sin6_port;
  std::memcpy(&v4.sin_addr, &v6.sin6_addr.s6_addr[12], sizeof v4.sin_addr);
  Address out;
  std::memcpy(&out.storage, &v4, sizeof v4);
  out.bytes = sizeof v4;
  return out;
}

void set_option(int socket, int level, int name, int value) {
  ::setsockopt(socket, level, name, &value, sizeof value);
}

bool is_would_block(int err) {
  return err == EAGAIN || err == EWOULDBLOCK || err == EINTR;
}

Transfer outcome(ssize_t done) {
  if (done > 0) return {Transfer::State::some, static_cast<std::size_t>(done), 0};
  if (done == 0) return {Transfer::State::closed, 0, 0};
  if (is_would_block(errno)) return {Transfer::State::would_block, 0, 0};
  if (errno == EPIPE) return {Transfer::State::closed, 0, 0};
  return {Transfer::State::failed, 0, errno};
}

void set_listen_options(const UniqueFd& socket, int family) {
  const int on = 1;
  const int off = 0;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // over old TIME_WAITs
  if (family == AF_INET6) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
}

int pending_error(const UniqueFd& socket) {
  int err = 0;
  socklen_t bytes = sizeof err;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &err, &bytes);
  return err;
}

// A connection to a closed port of this machine can meet itself, when the kernel picks that very
// port for its own end.
bool is_connected_to_itself(const UniqueFd& socket) {
  Address own;
  Address peer;
  own.bytes = peer.bytes = sizeof own.storage;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own.storage), &own.bytes);
  ::getpeername(socket.get(), reinterpret_cast<sockaddr*>(&peer.storage), &peer.bytes);
  return own.bytes == peer.bytes && std::memcmp(&own.storage, &peer.storage, own.bytes) == 0;
}

}  // namespace

std::string host_and_port(const std::string& host, std::uint16_t port) {
  const std::string bare = without_brackets(host);
  return bare.find(':') == std::string::npos ? fmt::format("{}:{}", bare, port)
                                             : fmt::format("[{}]:{}", bare, port);
}

std::string Address::text() const {
  const Address shown = without_mapping(*this);
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (::getnameinfo(shown.get(), shown.bytes, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "an unknown address";
  return std::strchr(host, ':') == nullptr ? fmt::format("{}:{}", host, port)
                                           : fmt::format("[{}]:{}", host, port);
}

Result<std::vector<Address>> resolve(const std::string& host, std::uint16_t port, Use use) {
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

  std::vector<Address> out;
  for (const addrinfo* it = found; it != nullptr && out.size() < kMaxAddresses; it = it->ai_next) {
    Address address;
    std::memcpy(&address.storage, it->ai_addr, it->ai_addrlen);
    address.bytes = it->ai_addrlen;
    out.push_back(address);
  }
  return out;
}

bool wait_for(const UniqueFd& socket, short events, const Deadline& deadline) {
  while (true) {
    pollfd poll_for{socket.get(), events, 0};
    if (::poll(&poll_for, 1, deadline.poll_timeout_ms(kLongestPollMs)) > 0) return true;
    if (deadline.expired()) return false;
  }
}

int listen_on(const UniqueFd& socket, const sockets::Address& address) {
  set_listen_options(socket, address.family());
  if (::bind(socket.get(), address.get(), address.bytes) != 0) return errno;
  return ::listen(socket.get(), kBacklog) == 0 ? 0 : errno;
}

int connect_to(const Address& address, const Deadline& deadline, UniqueFd& socket) {
  socket = open_socket(address.family());
  if (!socket.valid()) return errno;
  if (::connect(socket.get(), address.get(), address.bytes) == 0) return 0;
  if (errno != EINPROGRESS && errno != EINTR) return errno;
  if (!wait_for(socket, POLLOUT, deadline)) return ETIMEDOUT;
  const int err = pending_error(socket);
  return err == 0 && is_connected_to_itself(socket) ? ECONNREFUSED : err;
}

UniqueFd open_socket(int family) {
  return UniqueFd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

void set_connection_options(int socket) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, kKeepaliveIdleSeconds);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, kKeepaliveIntervalSeconds);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, kKeepaliveProbes);
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMs);
}

std::string describe_connection_error(int err) {
  if (err == ECONNRESET)
    return "was reset: the peer's process was killed, or its machine restarted";
  if (err == ETIMEDOUT) return "is dead: the peer's machine acknowledges nothing any more";
  return fmt::format("is broken: {}", system_error(err, "recv").message());
}

Transfer send_some(int socket, std::span<const std::byte> bytes) {
  return outcome(::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
}

Transfer receive_some(int socket, std::span<std::byte> into) {
  return outcome(::recv(socket, into.data(), into.size(), MSG_DONTWAIT));
}

}  // namespace hawser::sockets
