#include "node/agreement.h"

#include <fmt/core.h>

#include <algorithm>

#include "bootstrap/rendezvous.h"
#include "node/reception.h"

namespace hawser::node {
namespace {

std::string amount(const Terms& terms) {
  return terms.iterations != 0 ? fmt::format("{} iterations", terms.iterations)
                               : fmt::format("{} ms", terms.duration_ms);
}

const char* way(const Terms& terms) {
  return terms.both_ways ? "both ways" : "forward";
}

const char* proof(const Terms& terms) {
  return terms.verify ? "verified" : "unverified";
}

// A refusal is meant for all links of this side: each says the same.
Result<Plan> hear_plan(NodeState& state, Messenger& messenger) {
  HAWSER_ASSIGN(const Message heard,
                messenger.hear(kTagSetting, kSettingBytes, "the server's answer"));
  if (const Plan* const plan = std::get_if<Plan>(&heard)) return *plan;
  const Refuse* const refuse = std::get_if<Refuse>(&heard);
  if (refuse == nullptr)
    return Error(Code::protocol, fmt::format("the server's answer: came {}", message_name(heard)));
  Error error(Code::peer, "the server refuses: " + refuse->reason);
  state.board.call_off(error);
  return error;
}

Result<Agreed> call_gpu(NodeState& state, std::size_t gpu, const Deadline& deadline) {
  const NodeOptions& options = state.options;
  HAWSER_ASSIGN(const std::uint16_t port,
                channel_port(options.port_base, static_cast<int>(gpu), 0));
  HAWSER_ASSIGN(const Link link,
                state.engine->connect(options.address, port, state.link_options(gpu)));
  HAWSER_ASSIGN(std::unique_ptr<Messenger> messenger,
                Messenger::open(*state.engine, {link, &state.board, deadline.timeout(), true}));
  const Hello own = state.hello(static_cast<std::uint32_t>(gpu));
  HAWSER_TRY(messenger->say(kTagSetting, own));
  Result<Plan> plan = hear_plan(state, *messenger);
  Status fits = plan.ok() ? judge(*plan, own) : Status(plan.error());
  if (fits.ok()) fits = state.board.claim_peer(plan->server.process);
  if (fits.ok()) return Agreed{std::move(messenger), {*plan, plan->server}};
  link.close();
  return fits.error();
}

}  // namespace

Status judge(const Hello& said, const Hello& own) {
  if (said.terms.gpus != own.terms.gpus)
    return Error(Code::peer,
                 fmt::format("the server has {} GPUs, the client {}: give both sides the same "
                             "--gpus",
                             own.terms.gpus, said.terms.gpus));
  if (said.gpu != own.gpu)
    return Error(Code::peer, fmt::format("this is GPU {} of the server, not GPU {}: check "
                                         "--port-base on both sides",
                                         own.gpu, said.gpu));
  return {};
}

Status judge(const Plan& plan, const Hello& own) {
  if (plan.server.gpu == own.gpu && plan.server.terms.gpus == own.terms.gpus) return {};
  return Error(Code::protocol, "the server planned something else than this side asked for");
}

std::string differences(const Terms& ruling, const Terms& own) {
  std::string text;
  const auto differ = [&](const std::string& here, const std::string& there) {
    if (here != there) text += fmt::format("{}{}, not {}", text.empty() ? "" : "; ", here, there);
  };
  differ(fmt::format("{} bytes", ruling.bytes), fmt::format("{} bytes", own.bytes));
  differ(amount(ruling), amount(own));
  differ(way(ruling), way(own));
  differ(proof(ruling), proof(own));
  return text;
}

Result<Agreed> agree(NodeState& state, std::size_t gpu, const Deadline& deadline) {
  return state.options.role == Role::server ? Reception(state, gpu).run(deadline)
                                            : call_gpu(state, gpu, deadline);
}

}  // namespace hawser::node
