#include "setup/transport.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/parameters.h"
#include "net/hosted/hosting.h"
#include "net/isolated/isolated_net.h"
#include "net/tcp/tcp_net.h"

namespace hawser {
namespace {

constexpr const char* kBuiltin = "builtin";

Result<Transport> open_builtin(std::string why, const TransportChoice& choice) {
  HAWSER_ASSIGN(TcpOptions options, TcpOptions::from_environment());
  if (choice.sockets > 0) options.sockets_per_channel = choice.sockets;
  if (!choice.data_ports.empty()) options.data_ports = choice.data_ports;
  if (!choice.advertise.empty()) options.advertise = choice.advertise;
  HAWSER_ASSIGN(std::unique_ptr<Net> net, make_tcp_net(options));
  Transport transport;
  transport.net = std::move(net);
  transport.why = std::move(why);
  return transport;
}

std::string why_builtin(const std::string& plugin) {
  return plugin == kBuiltin ? "asked for by name" : "the environment names no plugin";
}

Status check_isolation(bool asked_for) {
  if (!asked_for) return {};
  return Error(Code::invalid_argument,
               "nothing to isolate: the built-in transport runs no plugin's code; drop --isolate, "
               "or name a plugin");
}

Result<bool> wants_isolation(bool asked_for) {
  if (asked_for) return true;
  const auto set = parameters::kIsolate.choice();
  if (!set.ok()) return set.error();
  return *set == "1";
}

}  // namespace

Result<Transport> open_transport(const TransportChoice& choice, std::shared_ptr<Gpu> gpu,
                                 std::shared_ptr<CallJournal> journal) {
  const std::vector<PluginChoice> candidates =
      choice.plugin == kBuiltin ? std::vector<PluginChoice>() : plugin_candidates(choice.plugin);
  if (candidates.empty()) {
    HAWSER_TRY(check_isolation(choice.isolate));
    return open_builtin(why_builtin(choice.plugin), choice);
  }
  if (choice.sockets > 0)
    return Error(Code::invalid_argument,
                 "how many sockets a plugin uses is set by its own environment variables");
  PluginOptions options;
  options.gpu = std::move(gpu);
  options.journal = std::move(journal);
  options.peer = choice.peer;
  if (choice.chunk_bytes != 0)
    options.wanted_chunk_bytes = options.chunk_bytes =
        std::clamp(choice.chunk_bytes, kPageBytes, kUnpackRequestBytes);
  const auto tcpx = std::make_shared<std::optional<TcpxReport>>();
  options.before_init = tcpx_guard(options, tcpx);
  Transport transport;
  HAWSER_ASSIGN(transport.isolated, wants_isolation(choice.isolate));
  HAWSER_ASSIGN(transport.unpack.mode, unpack_mode_from_environment());
  HAWSER_ASSIGN(transport.net, transport.isolated ? open_isolated(candidates, options)
                                                  : load_first_plugin(candidates, options));
  transport.journal = options.journal;
  transport.why = candidates.front().why;
  transport.tcpx = std::move(*tcpx);
  return transport;
}

std::string stuck_text(const CallJournal& journal) {
  std::string text;
  for (const CurrentCall& call : journal.current_calls())
    text += (text.empty() ? "" : "; ") + describe(call);
  return text.empty() ? "stuck, in no call of a plugin" : text;
}

std::string Transport::unpack_text(int device) const {
  if (!needs_unpack(device)) return "placed";
  const std::string ran = unpack.use->text();
  if (!ran.empty()) return ran;
  const UnpackMode expected = unpack.use->expected();
  return unpack_mode_name(expected != UnpackMode::automatic ? expected : unpack.mode);
}

bool Transport::leaves_data_out(int device) const {
  return needs_unpack(device) && unpack.mode == UnpackMode::none;
}

}  // namespace hawser
