#include "net/tcp/data_socket.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/socket.h"
#include "net/tcp/congestion.h"

namespace hawser::tcp {
namespace {

using sockets::set_option;

constexpr int kKeepProbes = 4;
// Unanswered retransmissions or probes of a zero window that make a silence suspicious.
constexpr unsigned kUnanswered = 3;

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

}  // namespace

Result<UniqueFd> open_data_socket(IpFamily family, const SocketOptions& options) {
  UniqueFd fd = sockets::open_socket(family);
  if (!fd.valid())
    return system_error(errno, fmt::format("opening an {} socket", ip_family_name(family)));
  HAWSER_TRY(set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY"));
  HAWSER_TRY(set_buffers(fd.get(), options.buffer_bytes));
  HAWSER_TRY(keep_alive(fd.get(), options.peer_silence_ms));
  if (!options.congestion.empty()) HAWSER_TRY(set_congestion(fd.get(), options.congestion));
  return fd;
}

bool peer_is_silent(int fd, unsigned silence_ms) {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return false;
  if (info.tcpi_state == TCP_SYN_SENT) return false;
  const unsigned unanswered = std::max<unsigned>(info.tcpi_retransmits, info.tcpi_probes);
  return unanswered >= kUnanswered && info.tcpi_last_ack_recv >= silence_ms;
}

}  // namespace hawser::tcp
