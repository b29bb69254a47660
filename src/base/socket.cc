#include "base/socket.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace hawser::sockets {
namespace {

// How the kernel looks for a dead peer: probes after 5 s of quiet, every 2 s, three of them; and
// no more than 10 s for the peer to acknowledge what was sent.
constexpr int kKeepaliveIdleSeconds = 5;
constexpr int kKeepaliveIntervalSeconds = 2;
constexpr int kKeepaliveProbes = 3;
constexpr int kUserTimeoutMs = 10000;

using AddressCall = int (*)(int, const sockaddr*, socklen_t);
using NameCall = int (*)(int, sockaddr*, socklen_t*);

int call_with(AddressCall call, int fd, const SocketAddress& address) {
  sockaddr_storage storage;
  const socklen_t length = address.fill(storage);
  return call(fd, reinterpret_cast<const sockaddr*>(&storage), length) == 0 ? 0 : errno;
}

Result<SocketAddress> address_from(NameCall call, int fd, const char* doing) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  if (call(fd, address, &length) != 0) return io_error(errno, doing);
  const auto found = SocketAddress::from(address);
  if (!found) return Error(Code::internal, fmt::format("{}: neither IPv4 nor IPv6", doing));
  return *found;
}

int domain_of(IpFamily family) {
  return family == IpFamily::ipv4 ? AF_INET : AF_INET6;
}

// A connection to a closed port of this machine can meet itself, when the kernel picks that very
// port for its own end.
bool is_connected_to_itself(int fd) {
  const auto own = local_address(fd);
  const auto peer = remote_address(fd);
  return own.ok() && peer.ok() && *own == *peer;
}

Transfer outcome(ssize_t moved) {
  if (moved > 0) return {Transfer::State::some, static_cast<std::size_t>(moved), 0};
  if (moved == 0) return {Transfer::State::closed, 0, 0};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {Transfer::State::would_block, 0, 0};
  if (errno == EPIPE) return {Transfer::State::closed, 0, EPIPE};
  return {Transfer::State::failed, 0, errno};
}

template <class Call>
Transfer repeat_if_interrupted(Call call) {
  ssize_t moved = -1;
  do {
    moved = call();
  } while (moved < 0 && errno == EINTR);
  return outcome(moved);
}

}  // namespace

// ---- opening ----

UniqueFd open_socket(IpFamily family) {
  return UniqueFd(::socket(domain_of(family), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

int listen_on(const UniqueFd& socket, const SocketAddress& address, int backlog) {
  const int fd = socket.get();
  // Over old connections that have not been forgotten. Two sockets that have this and leave their
  // port to the kernel may be given the same one, so only where it is named.
  if (address.port != 0)
    static_cast<void>(set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR"));
  if (address.ip.family == IpFamily::ipv6)
    static_cast<void>(set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0, "IPV6_V6ONLY"));
  if (const int err = call_with(&::bind, fd, address); err != 0) return err;
  return ::listen(fd, backlog) == 0 ? 0 : errno;
}

UniqueFd accept_one(int listener, SocketAddress* from) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  UniqueFd accepted(::accept4(listener, address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (accepted.valid() && from != nullptr)
    *from = SocketAddress::from(address).value_or(SocketAddress());
  return accepted;
}

int connect_to(const SocketAddress& address, const Deadline& deadline, UniqueFd& socket) {
  socket = open_socket(address.ip.family);
  if (!socket.valid()) return errno;
  if (const int err = start_connect(socket.get(), address); err != 0) return err;
  if (!wait_for(socket, POLLOUT, deadline)) return ETIMEDOUT;
  return connect_outcome(socket.get()).value_or(ETIMEDOUT);
}

int bind_source(int fd, const IpAddress& source) {
  const int on = 1;
  if (::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) != 0) return errno;
  return call_with(&::bind, fd, SocketAddress{source, 0});
}

int bind_to_device(int fd, const std::string& interface) {
  return ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface.data(),
                      static_cast<socklen_t>(interface.size())) == 0
             ? 0
             : errno;
}

// What goes to an address of one's own has that address as its source. Nothing is sent.
bool stays_here(const IpAddress& target) {
  if (target.loopback()) return true;
  const UniqueFd asking(::socket(domain_of(target.family), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  constexpr std::uint16_t kDiscard = 9;
  if (!asking.valid() || call_with(&::connect, asking.get(), {target, kDiscard}) != 0) return false;
  const auto source = local_address(asking.get());
  return source.ok() && source->ip.same_address(target);
}

int start_connect(int fd, const SocketAddress& target) {
  const int err = call_with(&::connect, fd, target);
  return err == EINPROGRESS || err == EINTR ? 0 : err;
}

std::optional<int> connect_outcome(int fd) {
  pollfd waiting{fd, POLLOUT, 0};
  if (::poll(&waiting, 1, 0) <= 0) return std::nullopt;
  int err = 0;
  socklen_t length = sizeof err;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &length) != 0) err = errno;
  return err == 0 && is_connected_to_itself(fd) ? ECONNREFUSED : err;
}

Status set_option(int fd, int level, int option, int value, const char* name) {
  if (::setsockopt(fd, level, option, &value, sizeof value) == 0) return {};
  return system_error(errno, fmt::format("setting {} to {}", name, value));
}

void set_connection_options(int socket) {
  const auto set = [socket](int level, int option, int value) {
    ::setsockopt(socket, level, option, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, kKeepaliveIdleSeconds);
  set(IPPROTO_TCP, TCP_KEEPINTVL, kKeepaliveIntervalSeconds);
  set(IPPROTO_TCP, TCP_KEEPCNT, kKeepaliveProbes);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMs);
}

Result<SocketAddress> local_address(int fd) {
  return address_from(&::getsockname, fd, "asking a socket for its local address");
}

Result<SocketAddress> remote_address(int fd) {
  return address_from(&::getpeername, fd, "asking a socket for its remote address");
}

// ---- using ----

bool wait_for(const UniqueFd& socket, short events, const Deadline& deadline) {
  while (true) {
    pollfd poll_for{socket.get(), events, 0};
    if (::poll(&poll_for, 1, deadline.poll_timeout_ms(kLongestPollMs)) > 0) return true;
    if (deadline.expired()) return false;
  }
}

Transfer send_some(int socket, std::span<const std::byte> bytes) {
  return repeat_if_interrupted(
      [&] { return ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT); });
}

Transfer receive_some(int socket, std::span<std::byte> into) {
  return repeat_if_interrupted(
      [&] { return ::recv(socket, into.data(), into.size(), MSG_DONTWAIT); });
}

// Of a single part the plain calls are cheaper than the general ones.
Transfer send_some(int socket, std::span<iovec> parts) {
  if (parts.size() == 1)
    return send_some(socket,
                     std::span(static_cast<const std::byte*>(parts[0].iov_base), parts[0].iov_len));
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  return repeat_if_interrupted([&] { return ::sendmsg(socket, &message, MSG_NOSIGNAL); });
}

Transfer receive_some(int socket, std::span<iovec> parts) {
  if (parts.size() == 1)
    return receive_some(socket,
                        std::span(static_cast<std::byte*>(parts[0].iov_base), parts[0].iov_len));
  return repeat_if_interrupted(
      [&] { return ::readv(socket, parts.data(), static_cast<int>(parts.size())); });
}

void reset_connection(int fd) {
  sockaddr nobody{};
  nobody.sa_family = AF_UNSPEC;
  static_cast<void>(::connect(fd, &nobody, sizeof nobody));
}

// ---- errors ----

bool is_peer_error(int err) {
  switch (err) {
    case ECONNREFUSED:
    case ECONNRESET:
    case EPIPE:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case ENOTCONN:
      return true;
    default:
      return false;
  }
}

Error io_error(int err, const std::string& doing) {
  const Error system = system_error(err, doing);
  return is_peer_error(err) ? Error(Code::peer, system.message()) : system;
}

Error binding_error(int err, const std::string& doing) {
  if (err == EADDRNOTAVAIL)
    return Error(Code::system,
                 fmt::format("{}: this machine has no such address (`ip addr` lists those it has)",
                             doing));
  return system_error(err, doing);
}

Error connecting_error(int err, const std::string& doing) {
  if (err == EADDRNOTAVAIL)
    return Error(Code::system,
                 fmt::format("{}: no local port is free for it: all of "
                             "net.ipv4.ip_local_port_range are in use towards that port",
                             doing));
  if (err == EHOSTUNREACH || err == EHOSTDOWN)
    return Error(Code::peer,
                 fmt::format("{}: nobody answers for that address there (no route, no such machine, "
                             "or a firewall)",
                             doing));
  if (err == ETIMEDOUT)
    return Error(Code::peer, fmt::format("{}: no answer: packets are lost, or a firewall drops them",
                                         doing));
  return io_error(err, doing);
}

std::string describe_connection_error(int err) {
  if (err == ECONNRESET)
    return "was reset: the peer's process was killed, or its machine restarted";
  if (err == ETIMEDOUT) return "is dead: the peer's machine acknowledges nothing any more";
  return fmt::format("is broken: {}", system_error(err, "recv").message());
}

}  // namespace hawser::sockets
