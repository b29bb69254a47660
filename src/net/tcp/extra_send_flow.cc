#include "net/tcp/extra_send_flow.h"

#include "base/log.h"

namespace hawser::tcp {

IoTask::Wait ExtraSendFlow::drive() {
  if (given_up_ || failure_.get() != nullptr) return Wait::never;
  if (!flow_) {
    const Wait joining = join();
    if (!flow_) return joining;
  }
  return flow_->drive();
}

IoTask::Wait ExtraSendFlow::join() {
  auto joined = connector_->step();
  if (joined.ok() && !*joined) return Wait::socket;
  if (joined.ok()) {
    flow_.emplace(std::move((*joined)->connection), queue_, failure_, this);
    if (thread != nullptr) queue_.have_threads();
    return Wait::nothing;
  }
  log_info("goes on with one socket less: {}", joined.error().message());
  given_up_ = true;
  queue_.lose_flow();
  return Wait::never;
}

}  // namespace hawser::tcp
