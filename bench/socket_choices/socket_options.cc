#include "socket_choices/socket_options.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>

#include "perf/sizes.h"

namespace hawser::bench {
namespace {

Status set(int socket, int level, int option, const void* value, std::size_t bytes,
           const std::string& name) {
  if (::setsockopt(socket, level, option, value, static_cast<socklen_t>(bytes)) == 0) return {};
  return Error(Code::unavailable, system_error(errno, "setting " + name).message());
}

Status set(int socket, int level, int option, int value, const char* name) {
  return set(socket, level, option, &value, sizeof value, fmt::format("{} to {}", name, value));
}

int get(int socket, int level, int option) {
  int value = 0;
  socklen_t bytes = sizeof value;
  return ::getsockopt(socket, level, option, &value, &bytes) == 0 ? value : -1;
}

Status apply_buffers(int socket, const SocketChoice& choice) {
  if (choice.send_buffer_bytes > 0)
    HAWSER_TRY(set(socket, SOL_SOCKET, SO_SNDBUF, choice.send_buffer_bytes, "SO_SNDBUF"));
  if (choice.receive_buffer_bytes > 0)
    HAWSER_TRY(set(socket, SOL_SOCKET, SO_RCVBUF, choice.receive_buffer_bytes, "SO_RCVBUF"));
  return {};
}

Status apply_congestion(int socket, const std::string& name) {
  if (name.empty()) return {};
  return set(socket, IPPROTO_TCP, TCP_CONGESTION, name.data(), name.size(),
             "TCP_CONGESTION to " + name);
}

}  // namespace

Status apply(int socket, const SocketChoice& choice) {
  HAWSER_TRY(apply_congestion(socket, choice.congestion));
  HAWSER_TRY(apply_buffers(socket, choice));
  HAWSER_TRY(set(socket, IPPROTO_TCP, TCP_NODELAY, choice.nodelay ? 1 : 0, "TCP_NODELAY"));
  if (choice.notsent_lowat_bytes > 0)
    HAWSER_TRY(set(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, choice.notsent_lowat_bytes,
                   "TCP_NOTSENT_LOWAT"));
  if (choice.busy_poll_us > 0)
    HAWSER_TRY(set(socket, SOL_SOCKET, SO_BUSY_POLL, choice.busy_poll_us, "SO_BUSY_POLL"));
  return {};
}

Status ask_for_quickack(int socket) {
  return set(socket, IPPROTO_TCP, TCP_QUICKACK, 1, "TCP_QUICKACK");
}

Status set_slice(int socket, int slice_ms) {
  const timeval slice{slice_ms / 1000, slice_ms % 1000 * 1000};
  HAWSER_TRY(set(socket, SOL_SOCKET, SO_RCVTIMEO, &slice, sizeof slice, "SO_RCVTIMEO"));
  return set(socket, SOL_SOCKET, SO_SNDTIMEO, &slice, sizeof slice, "SO_SNDTIMEO");
}

std::string effective(int socket, const SocketChoice& choice) {
  if (choice.send_buffer_bytes == 0 && choice.receive_buffer_bytes == 0) return "";
  const auto text = [&](int option) {
    return size_text(static_cast<std::uint64_t>(get(socket, SOL_SOCKET, option)));
  };
  return fmt::format("buffers at the start: {} to send, {} to receive", text(SO_SNDBUF),
                     text(SO_RCVBUF));
}

}  // namespace hawser::bench
