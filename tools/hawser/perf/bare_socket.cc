#include "perf/bare_socket.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <random>

#include "base/endian.h"
#include "base/log_limiter.h"
#include "base/socket.h"

namespace hawser {
namespace {

constexpr int kPollMs = 100;             // how often a wait looks at its bound
constexpr int kMaxStrangers = 1000;      // that a listener turns away
constexpr std::size_t kHelloBytes = 16;  // the nonce, the socket's place
constexpr int kHelloSeconds = 2;
constexpr int kMaxName = 64;

Status set_timeout(int socket, int option, const timeval& slice, const char* name) {
  if (::setsockopt(socket, SOL_SOCKET, option, &slice, sizeof slice) == 0) return {};
  return system_error(errno, fmt::format("setting {} of a bare socket", name));
}

// Blocking, but never for longer than kPollMs at a time: whoever waits can be told to stop.
Status prepare(int socket) {
  const timeval slice{0, kPollMs * 1000};
  if (::fcntl(socket, F_SETFL, 0) != 0) return system_error(errno, "making a bare socket block");
  HAWSER_TRY(sockets::set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY"));
  HAWSER_TRY(set_timeout(socket, SO_RCVTIMEO, slice, "SO_RCVTIMEO"));
  return set_timeout(socket, SO_SNDTIMEO, slice, "SO_SNDTIMEO");
}

std::array<std::byte, kHelloBytes> hello(std::uint64_t nonce, std::uint64_t place) {
  std::array<std::byte, kHelloBytes> bytes;
  store_le(bytes.data(), nonce);
  store_le(bytes.data() + 8, place);
  return bytes;
}

Result<SocketAddress> resolve_one(const BareMeeting& meeting, sockets::Use use) {
  HAWSER_ASSIGN(const auto addresses, sockets::resolve(meeting.address, meeting.port, use));
  return addresses.front();
}

// The place that a newcomer claims; `count` or more: it is a stranger.
std::uint64_t place_of(int socket, std::uint64_t nonce, const WaitBound& bound) {
  std::array<std::byte, kHelloBytes> said;
  const WaitBound soon{Deadline::after(Milliseconds(kHelloSeconds * 1000)), bound.interrupt};
  if (!receive_all(socket, said.data(), said.size(), soon).ok()) return UINT64_MAX;
  return load_le<std::uint64_t>(said.data()) == nonce ? load_le<std::uint64_t>(said.data() + 8)
                                                      : UINT64_MAX;
}

Error moved_error(const char* doing, ssize_t result, int err) {
  if (result == 0) return Error(Code::peer, fmt::format("{}: the other side closed it", doing));
  const bool peer = err == ECONNRESET || err == EPIPE || err == ETIMEDOUT;
  const Error error = system_error(err, doing);
  return peer ? Error(Code::peer, error.message()) : error;
}

// Calls `call(data, bytes)` till all is moved.
template <class Call>
Status move_all(std::size_t bytes, const WaitBound& bound, const char* doing, Call&& call) {
  for (std::size_t at = 0; at < bytes;) {
    const ssize_t moved = call(at);
    if (moved > 0) {
      at += static_cast<std::size_t>(moved);
      continue;
    }
    const bool waiting = moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    if (!waiting) return moved_error(doing, moved, errno);
    if (auto error = bound.broken(doing)) return *error;
  }
  return {};
}

std::string offered_congestion_controls() {
  std::ifstream file("/proc/sys/net/ipv4/tcp_available_congestion_control");
  std::string names;
  std::getline(file, names);
  return names;
}

}  // namespace

Status send_all(int socket, const std::byte* data, std::size_t bytes, const WaitBound& bound) {
  return move_all(bytes, bound, "sending over a bare socket", [&](std::size_t at) {
    return ::send(socket, data + at, bytes - at, MSG_NOSIGNAL);
  });
}

Status receive_all(int socket, std::byte* data, std::size_t bytes, const WaitBound& bound) {
  return move_all(bytes, bound, "receiving over a bare socket",
                  [&](std::size_t at) { return ::recv(socket, data + at, bytes - at, 0); });
}

Result<BareListener> BareListener::listen(const std::string& address) {
  BareMeeting meeting{address, 0, 0};
  HAWSER_ASSIGN(const auto where, resolve_one(meeting, sockets::Use::listen));
  UniqueFd socket = sockets::open_socket(where.ip.family);
  const int err = socket.valid() ? sockets::listen_on(socket, where, SOMAXCONN) : errno;
  if (err != 0) return system_error(err, fmt::format("listening for bare sockets on {}", address));
  HAWSER_ASSIGN(const SocketAddress bound, sockets::local_address(socket.get()));
  meeting.port = bound.port;
  meeting.nonce = std::random_device()() | (std::uint64_t{std::random_device()()} << 32);
  return BareListener(std::move(socket), std::move(meeting));
}

Result<std::vector<UniqueFd>> BareListener::accept(std::size_t count, const WaitBound& bound) {
  std::vector<UniqueFd> accepted(count);
  int strangers = 0;
  StrangerLog log;
  for (std::size_t have = 0; have < count && strangers <= kMaxStrangers;) {
    pollfd waiting{socket_.get(), POLLIN, 0};
    ::poll(&waiting, 1, bound.deadline.poll_timeout_ms(kPollMs));
    if (auto error = bound.broken("the connection of the bare sockets")) return *error;
    UniqueFd socket = sockets::accept_one(socket_.get());
    if (!socket.valid()) continue;
    HAWSER_TRY(prepare(socket.get()));
    const std::uint64_t place = place_of(socket.get(), meeting_.nonce, bound);
    if (place < count && !accepted[place].valid()) {
      accepted[place] = std::move(socket);
      ++have;
    } else {
      ++strangers;
      log.take(LogLevel::warning,
               fmt::format("port {}: turned a stranger away from the bare sockets", meeting_.port));
    }
  }
  if (strangers > kMaxStrangers)
    return Error(Code::unavailable, "too many strangers at the port of the bare sockets");
  return accepted;
}

Result<std::vector<UniqueFd>> bare_connect(const BareMeeting& meeting, std::size_t count,
                                           const WaitBound& bound) {
  HAWSER_ASSIGN(const auto where, resolve_one(meeting, sockets::Use::connect));
  std::vector<UniqueFd> connected;
  for (std::size_t place = 0; place < count; ++place) {
    UniqueFd socket;
    if (const int err = sockets::connect_to(where, bound.deadline, socket); err != 0)
      return system_error(err, fmt::format("connecting a bare socket to {}", where.text()));
    HAWSER_TRY(prepare(socket.get()));
    HAWSER_TRY(send_all(socket.get(), hello(meeting.nonce, place).data(), kHelloBytes, bound));
    connected.push_back(std::move(socket));
  }
  return connected;
}

std::string congestion_control(int socket) {
  char name[kMaxName] = {};
  socklen_t bytes = sizeof name - 1;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name, &bytes) != 0) return "";
  return name;
}

Status set_congestion_control(int socket, const std::string& name) {
  if (congestion_control(socket) == name) return {};
  if (::setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name.data(),
                   static_cast<socklen_t>(name.size())) == 0)
    return {};
  return system_error(errno, fmt::format("congestion control '{}' for the bare sockets (this "
                                         "kernel has {}; others than the default may need root or "
                                         "tcp_allowed_congestion_control)",
                                         name, offered_congestion_controls()));
}

}  // namespace hawser
