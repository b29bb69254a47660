#include "socket.h"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace emu {
namespace {

constexpr int kBacklog = 16;

// The real one takes descriptor 0, which is free once it has closed it, for a failure.
Socket adopt(int fd) {
  if (fd == 0) errno = EBADF;
  return Socket(fd > 0 ? fd : -1);
}

Socket open_socket(int family) {
  return adopt(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

void set_no_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Moved moved(ssize_t result) {
  if (result > 0) return {static_cast<std::size_t>(result)};
  if (result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return {};
  return {0, true};
}

short poll_now(int fd, short events) {
  pollfd entry{fd, events, 0};
  return ::poll(&entry, 1, 0) > 0 ? entry.revents : short{0};
}

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Socket Socket::listen_on(const Address& address) {
  Socket socket = open_socket(address.any.sa_family);
  if (!socket.usable()) return socket;
  if (::bind(socket.fd_, &address.any, address.bytes()) != 0) return {};
  if (::listen(socket.fd_, kBacklog) != 0) return {};
  return socket;
}

Socket Socket::start_connect(const Address& from, const Address& to) {
  if (from.any.sa_family != to.any.sa_family) {
    errno = EAFNOSUPPORT;
    return {};
  }
  Socket socket = open_socket(to.any.sa_family);
  if (!socket.usable()) return socket;
  set_no_delay(socket.fd_);
  if (::bind(socket.fd_, &from.any, from.bytes()) != 0) return {};
  if (::connect(socket.fd_, &to.any, to.bytes()) != 0 && errno != EINPROGRESS) return {};
  return socket;
}

// What is received is acknowledged at once: senders from a GPU wait for that.
void Socket::acknowledge() const {
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

Socket Socket::accept() const {
  Socket socket = adopt(::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket.usable()) set_no_delay(socket.fd_);
  return socket;
}

Address Socket::local() const {
  Address address{};
  socklen_t bytes = sizeof address;
  getsockname(fd_, &address.any, &bytes);
  return address;
}

int Socket::connect_result() const {
  if ((poll_now(fd_, POLLOUT) & (POLLOUT | POLLERR | POLLHUP)) == 0) return EINPROGRESS;
  int problem = 0;
  socklen_t bytes = sizeof problem;
  if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &problem, &bytes) != 0) return errno;
  return problem;
}

Moved Socket::send(const void* data, std::size_t bytes, bool more_follows) const {
  return moved(::send(fd_, data, bytes, MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0)));
}

Moved Socket::receive(void* data, std::size_t bytes) const {
  return moved(::recv(fd_, data, bytes, 0));
}

Moved Socket::receive(std::span<const iovec> pieces) const {
  return moved(::readv(fd_, pieces.data(), static_cast<int>(pieces.size())));
}

bool Socket::peer_closed() const {
  return (poll_now(fd_, POLLRDHUP) & (POLLRDHUP | POLLERR | POLLHUP)) != 0;
}

std::size_t Socket::unacknowledged() const {
  int bytes = 0;
  return ::ioctl(fd_, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

void Socket::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Socket::reset() {
  if (fd_ < 0) return;
  const linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

FrameReader::State FrameReader::read(const Socket& socket) {
  while (have_ < bytes_.size()) {
    const Moved moved = socket.receive(bytes_.data() + have_, bytes_.size() - have_);
    if (moved.ended) return State::ended;
    if (moved.bytes == 0) return State::waiting;
    have_ += moved.bytes;
  }
  return State::complete;
}

}  // namespace emu
