#include "validation/outcome.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace hawser {

const char* operation_name(Operation operation, Role role) {
  switch (operation) {
    case Operation::listen:
      return "tcpx_listen";
    case Operation::accept:
      return "tcpx_accept_v5";
    case Operation::connect:
      return "tcpx_connect_v5";
    case Operation::reg_mr:
      return "tcpx_reg_mr";
    case Operation::transfer:
      return role == Role::server ? "tcpx_irecv" : "tcpx_isend";
    case Operation::verify:
      return "Data verification";
    case Operation::peer:
      return "The other side's channel";
    case Operation::stuck:
      return "The channel's thread";
  }
  return "?";
}

std::string failure_text(const ChannelFailure& failure, Role role) {
  return printable(fmt::format("{} failed: {}", operation_name(failure.operation, role),
                                     failure.error.message()));
}

int PassOutcome::succeeded() const {
  return static_cast<int>(
      std::count_if(channels.begin(), channels.end(), [](const auto& c) { return c.ok(); }));
}

bool PassOutcome::creation_failed() const {
  return std::any_of(channels.begin(), channels.end(), [](const auto& c) { return !c.up; });
}

}  // namespace hawser
