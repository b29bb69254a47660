#include "socket_choices/control.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hawser::bench {
namespace {

constexpr int kLongestPollMs = 1000;

}  // namespace

void Reply::say(std::string_view what) {
  const std::size_t length = std::min(what.size(), sizeof text - 1);
  std::memcpy(text, what.data(), length);
  text[length] = '\0';
}

Reply Reply::failed(const Error& error) {
  Reply reply;
  reply.ok = false;
  reply.code = error.code();
  reply.say(error.message());
  return reply;
}

Status Reply::status() const {
  if (ok) return {};
  return Error(code, fmt::format("the receiving process: {}", text));
}

Result<std::pair<Control, Control>> Control::make_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return system_error(errno, "making a pair of sockets");
  return std::pair(Control(UniqueFd(ends[0])), Control(UniqueFd(ends[1])));
}

Status Control::send_bytes(const void* data, std::size_t bytes) {
  if (::send(fd_.get(), data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(bytes))
    return {};
  return Error(Code::peer, system_error(errno, "talking to the other process").message());
}

Status Control::receive_bytes(void* data, std::size_t bytes, const Deadline& deadline) {
  pollfd waiting{fd_.get(), POLLIN, 0};
  while (::poll(&waiting, 1, deadline.poll_timeout_ms(kLongestPollMs)) <= 0)
    if (deadline.expired())
      return Error(Code::timeout, fmt::format("the other process said nothing for {} ms",
                                              deadline.timeout().count()));
  const ssize_t got = ::recv(fd_.get(), data, bytes, MSG_DONTWAIT);
  if (got == static_cast<ssize_t>(bytes)) return {};
  return Error(Code::peer, "the other process has ended");
}

}  // namespace hawser::bench
