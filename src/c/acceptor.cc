#include <utility>

#include "c/handles.h"

using namespace hawser::capi;
using hawser::Status;

namespace {

Status check_acceptor(const hawser_acceptor_t* acceptor) {
  return require(acceptor != nullptr, "no acceptor: a null handle");
}

}  // namespace

int hawser_acceptor_port(hawser_acceptor_t* acceptor) {
  if (acceptor == nullptr) return -1;
  return guarded_value(-1, [&] { return acceptor->acceptor->port(); });
}

hawser_status_t hawser_acceptor_accept(hawser_acceptor_t* acceptor, int timeout_ms,
                                       hawser_link_t** link) {
  return make_handle(link, [&](hawser_link_t& handle) -> Status {
    if (Status given = check_acceptor(acceptor); !given.ok()) return given;
    auto made = acceptor->acceptor->accept(timeout_ms);
    if (!made.ok()) return made.error();
    return hold_link(handle, std::move(*made));
  });
}

hawser_status_t hawser_acceptor_try_accept(hawser_acceptor_t* acceptor, hawser_link_t** link) {
  bool too_early = false;
  const hawser_status_t done = make_handle(link, [&](hawser_link_t& handle) -> Status {
    if (Status given = check_acceptor(acceptor); !given.ok()) return given;
    auto made = acceptor->acceptor->try_accept();
    too_early = !made;
    return made ? hold_link(handle, std::move(*made)) : Status();
  });
  if (too_early) hawser_link_free(std::exchange(*link, nullptr));
  return done;
}

hawser_status_t hawser_acceptor_close(hawser_acceptor_t* acceptor) {
  return guarded([&]() -> Status {
    if (Status given = check_acceptor(acceptor); !given.ok()) return given;
    acceptor->acceptor->close();
    return {};
  });
}

void hawser_acceptor_free(hawser_acceptor_t* acceptor) {
  delete acceptor;
}
