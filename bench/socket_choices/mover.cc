#include "socket_choices/mover.h"

#include <fmt/core.h>

#include <cerrno>

#include "socket_choices/plain_mover.h"
#include "socket_choices/socket_options.h"

namespace hawser::bench {

Status Mover::in_time(const char* doing) const {
  if (!deadline_.expired()) return {};
  return Error(Code::timeout,
               fmt::format("{} did not end within {} ms", doing, deadline_.timeout().count()));
}

Result<std::size_t> moved(ssize_t result, const char* doing) {
  if (result > 0) return static_cast<std::size_t>(result);
  if (result == 0) return Error(Code::peer, fmt::format("{}: the other side closed it", doing));
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return std::size_t{0};
  return Error(Code::peer, system_error(errno, doing).message());
}

Result<std::unique_ptr<Mover>> make_mover(int socket, const Variant& variant, std::size_t slots) {
  if (variant.socket.quickack != Quickack::kernel) HAWSER_TRY(ask_for_quickack(socket));
  switch (variant.calls) {
    case Calls::blocking:
      return make_blocking_mover(socket, variant);
    case Calls::polling:
      return make_polling_mover(socket, variant);
    case Calls::epoll:
      return make_epoll_mover(socket, variant);
    case Calls::uring:
      return make_uring_mover(socket, variant);
    case Calls::zerocopy:
      return make_zerocopy_mover(socket, variant, slots);
  }
  return Error(Code::internal, "no such calls");
}

}  // namespace hawser::bench
