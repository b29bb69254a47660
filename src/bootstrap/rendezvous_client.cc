#include <fmt/core.h>

#include "bootstrap/rendezvous.h"
#include "control/call.h"

namespace hawser {
namespace {

// The Plan, or what came instead.
Result<wire::Plan> plan_of(const control::Line& line, std::span<const std::byte> frame) {
  auto answer = wire::decode_frame(frame);
  if (!answer.ok())
    return Error(Code::protocol, fmt::format("{} is no hawser server of this version: {}",
                                             line.peer(), answer.error().message()));
  if (auto* const plan = std::get_if<wire::Plan>(&*answer)) return std::move(*plan);
  if (const auto* const refuse = std::get_if<wire::Refuse>(&*answer))
    return Error(Code::peer, fmt::format("{} refused: {}", line.peer(), refuse->reason));
  return Error(Code::protocol, fmt::format("{} answered a Hello with a {}", line.peer(),
                                           wire::message_name(*answer)));
}

}  // namespace

Result<Rendezvous> rendezvous_connect(const std::string& server_address, int port_base, int gpu,
                                      const wire::Hello& hello, Deadline deadline) {
  HAWSER_ASSIGN(const std::uint16_t port, channel_port(port_base, gpu, 0));
  Rendezvous met{nullptr, hello, {}};
  const control::Call call{server_address,
                           port,
                           wire::protocol(),
                           wire::encode(hello),
                           deadline,
                           "hawser server",
                           "Is the server started, does a firewall let the port through, are "
                           "--port-base and the server's gpu right?",
                           {}};
  const auto answered = [&met](const control::Line& line,
                               std::span<const std::byte> frame) -> Status {
    HAWSER_ASSIGN(met.plan, plan_of(line, frame));
    return {};
  };
  HAWSER_ASSIGN(met.line, control::call(call, answered));
  return met;
}

}  // namespace hawser
