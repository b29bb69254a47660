#include "tcp/socket.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "tcp/congestion.h"

namespace hawser::tcp {
namespace {

constexpr int kKeepProbes = 4;
// Unanswered retransmissions or probes of a zero window that make a silence suspicious.
constexpr unsigned kUnanswered = 3;

Status set_option(int fd, int level, int option, int value, const char* name) {
  if (setsockopt(fd, level, option, &value, sizeof value) == 0) return {};
  return system_error(errno, fmt::format("setting {} to {}", name, value));
}

Status set_buffers(int fd, int buffer_bytes) {
  if (buffer_bytes == 0) return {};
  HAWSER_TRY(set_option(fd, SOL_SOCKET, SO_SNDBUF, buffer_bytes, "SO_SNDBUF"));
  return set_option(fd, SOL_SOCKET, SO_RCVBUF, buffer_bytes, "SO_RCVBUF");
}

// A connection that is idle notices a peer that vanished without a word: half of the silence goes
// by before it is asked, the other half in probes, in whole seconds.
Status keep_alive(int fd, unsigned silence_ms) {
  const int idle = std::max(1, static_cast<int>(silence_ms / 2000));
  const int interval = std::max(1, static_cast<int>(silence_ms / 2000) / kKeepProbes);
  HAWSER_TRY(set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle, "TCP_KEEPIDLE"));
  HAWSER_TRY(set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval, "TCP_KEEPINTVL"));
  HAWSER_TRY(set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepProbes, "TCP_KEEPCNT"));
  return set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE");
}

Status bind_to(int fd, const SocketAddress& address) {
  sockaddr_storage storage;
  const socklen_t length = address.fill(storage);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&storage), length) == 0) return {};
  return system_error(errno, fmt::format("binding a data socket to {}", address.text()));
}

using NameCall = int (*)(int, sockaddr*, socklen_t*);

Result<SocketAddress> address_from(NameCall call, int fd, const char* doing) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  if (call(fd, address, &length) != 0) return io_error(errno, doing);
  const auto found = SocketAddress::from(address);
  if (!found) return Error(Code::internal, fmt::format("{}: neither IPv4 nor IPv6", doing));
  return *found;
}

// Errors of accept(2) that are about the connection that was waiting, not about the listener.
bool concerns_one_connection(int error) {
  return error == ECONNABORTED || error == EPROTO || is_peer_error(error);
}

IoResult outcome(ssize_t moved) {
  if (moved > 0) return {IoResult::State::moved, static_cast<std::size_t>(moved), 0};
  if (moved == 0) return {IoResult::State::closed, 0, 0};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {IoResult::State::would_block, 0, 0};
  return {IoResult::State::failed, 0, errno};
}

template <class Call>
IoResult repeat_if_interrupted(Call call) {
  ssize_t moved = -1;
  do {
    moved = call();
  } while (moved < 0 && errno == EINTR);
  return outcome(moved);
}

}  // namespace

Result<UniqueFd> open_socket(IpFamily family, const SocketOptions& options) {
  const int domain = family == IpFamily::ipv4 ? AF_INET : AF_INET6;
  UniqueFd fd(socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid())
    return system_error(errno, fmt::format("opening an {} socket", ip_family_name(family)));
  HAWSER_TRY(set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY"));
  HAWSER_TRY(set_buffers(fd.get(), options.buffer_bytes));
  HAWSER_TRY(keep_alive(fd.get(), options.peer_silence_ms));
  if (!options.congestion.empty()) HAWSER_TRY(set_congestion(fd.get(), options.congestion));
  return fd;
}

Status listen_on(int fd, const SocketAddress& address, int backlog) {
  HAWSER_TRY(bind_to(fd, address));
  if (listen(fd, backlog) == 0) return {};
  return system_error(errno, fmt::format("listening on {}", address.text()));
}

Result<UniqueFd> accept_one(int fd) {
  // All options are inherited from the listening socket.
  const int accepted = accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted >= 0) return UniqueFd(accepted);
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || concerns_one_connection(errno))
    return UniqueFd();
  return system_error(errno, "accepting a data connection");
}

Status start_connect(int fd, const IpAddress& source, const SocketAddress& target) {
  // The port is chosen by connect(2), which may use one that is taken towards other targets.
  HAWSER_TRY(set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1, "IP_BIND_ADDRESS_NO_PORT"));
  HAWSER_TRY(bind_to(fd, SocketAddress{source, 0}));
  sockaddr_storage storage;
  const socklen_t length = target.fill(storage);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&storage), length) == 0) return {};
  if (errno == EINPROGRESS || errno == EINTR) return {};
  return io_error(errno, fmt::format("connecting from {} to {}", source.text(), target.text()));
}

Result<bool> connect_finished(int fd, const SocketAddress& target) {
  pollfd waiting{fd, POLLOUT, 0};
  if (poll(&waiting, 1, 0) <= 0) return false;
  int problem = 0;
  socklen_t length = sizeof problem;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &length) != 0) problem = errno;
  if (problem != 0) return io_error(problem, fmt::format("connecting to {}", target.text()));
  return true;
}

Result<SocketAddress> local_address(int fd) {
  return address_from(&getsockname, fd, "asking a data socket for its local address");
}

Result<SocketAddress> remote_address(int fd) {
  return address_from(&getpeername, fd, "asking a data socket for its remote address");
}

IoResult write_some(int fd, std::span<iovec> parts) {
  if (parts.size() == 1)  // the plain calls are cheaper than the general ones
    return repeat_if_interrupted(
        [&] { return send(fd, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL); });
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  return repeat_if_interrupted([&] { return sendmsg(fd, &message, MSG_NOSIGNAL); });
}

IoResult read_some(int fd, std::span<iovec> parts) {
  if (parts.size() == 1)
    return repeat_if_interrupted([&] { return recv(fd, parts[0].iov_base, parts[0].iov_len, 0); });
  return repeat_if_interrupted(
      [&] { return readv(fd, parts.data(), static_cast<int>(parts.size())); });
}

bool peer_is_silent(int fd, unsigned silence_ms) {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return false;
  if (info.tcpi_state == TCP_SYN_SENT) return false;
  const unsigned unanswered = std::max<unsigned>(info.tcpi_retransmits, info.tcpi_probes);
  return unanswered >= kUnanswered && info.tcpi_last_ack_recv >= silence_ms;
}

void reset_connection(int fd) {
  sockaddr nobody{};
  nobody.sa_family = AF_UNSPEC;
  (void)connect(fd, &nobody, sizeof nobody);
}

bool is_peer_error(int error) {
  switch (error) {
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

Error io_error(int error, const std::string& doing) {
  const Error system = system_error(error, doing);
  return is_peer_error(error) ? Error(Code::peer, system.message()) : system;
}

}  // namespace hawser::tcp
