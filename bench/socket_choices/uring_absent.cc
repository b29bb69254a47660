// Built where liburing was not found.
#include "socket_choices/mover.h"

namespace hawser::bench {

bool uring_is_built() {
  return false;
}

Result<std::unique_ptr<Mover>> make_uring_mover(int, const Variant&) {
  return Error(Code::unavailable,
               "io_uring is not built in: install liburing-dev, and configure again");
}

}  // namespace hawser::bench
