// Calls that never block, and epoll_wait(2) when there is nothing to do.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/fd.h"
#include "socket_choices/plain_mover.h"

namespace hawser::bench {
namespace {

// Edge-triggered, for both directions: one registration for the life of the connection. A call that
// would have blocked comes before every wait, so no edge is missed.
class EpollMover final : public PlainMover {
 public:
  EpollMover(int socket, const Variant& variant, UniqueFd epoll)
      : PlainMover(socket, variant, MSG_DONTWAIT), epoll_(std::move(epoll)) {}

 private:
  Status idle(const char* doing) override {
    epoll_event event{};
    if (::epoll_wait(epoll_.get(), &event, 1, deadline().poll_timeout_ms(kSliceMs)) < 0 &&
        errno != EINTR)
      return system_error(errno, "epoll_wait");
    return in_time(doing);
  }

  UniqueFd epoll_;
};

}  // namespace

Result<std::unique_ptr<Mover>> make_epoll_mover(int socket, const Variant& variant) {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event wanted{};
  wanted.events = EPOLLIN | EPOLLOUT | EPOLLET;
  if (!epoll.valid() || ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, socket, &wanted) != 0)
    return Error(Code::unavailable, system_error(errno, "making an epoll instance").message());
  return std::make_unique<EpollMover>(socket, variant, std::move(epoll));
}

}  // namespace hawser::bench
