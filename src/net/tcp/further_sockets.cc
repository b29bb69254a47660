#include "net/tcp/further_sockets.h"

#include "base/fd.h"
#include "base/log.h"

namespace hawser::tcp {

FurtherSockets::FurtherSockets()
    : budget_(Budget::make("further sockets", "a quarter of `ulimit -n`", descriptor_limit() / 4)) {
}

FurtherSockets::Grant FurtherSockets::grant(unsigned flows) {
  if (flows <= 1) return {};
  if (auto share = budget_->try_take(flows - 1)) return {flows, std::move(*share)};
  log_info("a connection keeps to one socket: further ones have a quarter of `ulimit -n`, {}",
           budget_->most());
  return {};
}

}  // namespace hawser::tcp
