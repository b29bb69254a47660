#include "socket_choices/bare_pair.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "socket_choices/socket_options.h"

namespace hawser::bench {
namespace {

constexpr int kMaxStrangers = 64;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

sockaddr* generic(sockaddr_in& address) {
  return reinterpret_cast<sockaddr*>(&address);
}

Result<std::uint16_t> own_port(int socket) {
  sockaddr_in address{};
  socklen_t bytes = sizeof address;
  if (::getsockname(socket, generic(address), &bytes) != 0)
    return system_error(errno, "asking for a socket's port");
  return ntohs(address.sin_port);
}

// An invalid one: it was a stranger, or gone again.
UniqueFd accept_one(int listener, std::uint16_t port) {
  sockaddr_in from{};
  socklen_t bytes = sizeof from;
  UniqueFd socket(::accept4(listener, generic(from), &bytes, SOCK_CLOEXEC));
  return socket.valid() && ntohs(from.sin_port) == port ? std::move(socket) : UniqueFd();
}

}  // namespace

Result<UniqueFd> open_socket(const SocketChoice& choice) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return system_error(errno, "opening a socket");
  HAWSER_TRY(apply(socket.get(), choice));
  return socket;
}

Result<Meeting> listen_on_loopback(const SocketChoice& choice) {
  HAWSER_ASSIGN(UniqueFd socket, open_socket(choice));
  sockaddr_in any_port = loopback(0);
  if (::bind(socket.get(), generic(any_port), sizeof any_port) != 0 ||
      ::listen(socket.get(), kMaxStrangers) != 0)
    return system_error(errno, "listening on 127.0.0.1");
  HAWSER_ASSIGN(const std::uint16_t port, own_port(socket.get()));
  return Meeting{std::move(socket), port};
}

Result<UniqueFd> accept_from(int listener, std::uint16_t port, const SocketChoice& choice,
                             const Deadline& deadline) {
  for (int strangers = 0; strangers < kMaxStrangers; ++strangers) {
    pollfd waiting{listener, POLLIN, 0};
    if (::poll(&waiting, 1, deadline.poll_timeout_ms(kMaxStrangers * 1000)) <= 0)
      return Error(Code::timeout, "the sending process did not connect");
    UniqueFd socket = accept_one(listener, port);
    if (!socket.valid()) continue;
    HAWSER_TRY(apply(socket.get(), choice));
    return socket;
  }
  return Error(Code::unavailable, "too many strangers connect to this port of 127.0.0.1");
}

// On loopback connect() ends at once: somebody listens, or it is refused.
Result<std::uint16_t> connect_to(int socket, std::uint16_t port) {
  sockaddr_in address = loopback(port);
  if (::connect(socket, generic(address), sizeof address) != 0)
    return Error(Code::peer, system_error(errno, "connecting over loopback").message());
  return own_port(socket);
}

}  // namespace hawser::bench
