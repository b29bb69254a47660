#include "perf/meeting.h"

#include <fmt/core.h>

#include <algorithm>
#include <random>

#include "base/socket.h"
#include "bootstrap/rendezvous.h"
#include "perf/agreement.h"

namespace hawser {
namespace {

constexpr int kPortTries = 32;
constexpr int kFirstFreePort = 20'000;
constexpr int kLastFreePort = 32'000;  // from there on Linux takes ports for its own choice

Deadline deadline_of(const PerfOptions& options) {
  return Deadline::after(Milliseconds(options.timeout_ms));
}

// On any port that is free. The server says which, and holds it.
Result<std::unique_ptr<RendezvousServer>> listen_anywhere(const PerfOptions& options,
                                                          const SideOutput& output) {
  std::random_device random;
  for (int attempt = 1;; ++attempt) {
    const auto offset = static_cast<int>(random() % (kLastFreePort - kFirstFreePort));
    const int base = kFirstFreePort + offset - options.gpu * kPortsPerGpu;
    auto server = RendezvousServer::listen(options.address, base, options.gpu, 1);
    if (server.ok() && output.listening) output.listening(base);
    if (server.ok() || attempt == kPortTries) return server;
  }
}

Result<std::unique_ptr<RendezvousServer>> listen(const PerfOptions& options,
                                                 const SideOutput& output) {
  if (options.port_base == 0) return listen_anywhere(options, output);
  auto server = RendezvousServer::listen(options.address, options.port_base, options.gpu, 1);
  if (server.ok() && output.listening) output.listening(options.port_base);
  return server;
}

Result<Rendezvous> wait_for_client(const PerfOptions& options, const SideOutput& output,
                                   const Environment& environment) {
  HAWSER_ASSIGN(const auto server, listen(options, output));
  if (output.note) output.note(fmt::format("waiting for a client at {}", server->address()));
  const auto decide = [&](const wire::Hello& said) { return answer(said, options, environment); };
  return server->accept(decide, deadline_of(options));
}

Result<Rendezvous> call_server(const PerfOptions& options, const Environment& environment) {
  const wire::Hello hello = hello_of(options, environment);
  HAWSER_ASSIGN(Rendezvous met, rendezvous_connect(options.address, options.port_base,
                                                   options.peer_gpu, hello, deadline_of(options)));
  HAWSER_TRY(check_answer(hello, met.plan));
  return met;
}

std::string local_address(const control::Line& line) {
  const auto own = sockets::local_address(line.fd());
  return own.ok() ? own->ip.text() : "";
}

Session::Options liveness(const PerfOptions& options) {
  Session::Options liveness;
  liveness.liveness = std::min(liveness.liveness, Milliseconds(options.timeout_ms));
  liveness.heartbeat = std::min(liveness.heartbeat, liveness.liveness / 4);
  return liveness;
}

// The client says how both work.
Result<wire::PerfSetup> settle(const PerfOptions& options, const wire::Plan& plan,
                               const Environment& environment, Session& session, Inbox& inbox) {
  if (options.role == Role::server) {
    HAWSER_ASSIGN(const auto wanted,
                  inbox.wait<wire::PerfSetup>(deadline_of(options), "what it wants"));
    const Status room =
        check_memory(plan.bytes, plan.channels, over_of(plan.transport), wanted.bare_sockets);
    if (room.ok()) return wanted;
    session.refuse(room.error().message());
    return room.error();
  }
  const wire::PerfSetup setup = setup_of(options, environment);
  HAWSER_TRY(session.send(setup));
  return setup;
}

}  // namespace

Result<std::shared_ptr<Measurement>> meet(const PerfOptions& options, const SideOutput& output,
                                          std::shared_ptr<const Environment> environment) {
  HAWSER_ASSIGN(Rendezvous met, options.role == Role::server
                                    ? wait_for_client(options, output, *environment)
                                    : call_server(options, *environment));
  MeasurementTerms terms;
  terms.role = options.role;
  terms.plan = met.plan;
  terms.over = over_of(met.plan.transport);
  terms.threads = options.threads;
  terms.timeout = Milliseconds(options.timeout_ms);
  terms.local_address = local_address(*met.line);
  terms.bare_congestion = options.bare_congestion;
  terms.cpus_chosen = !options.cpus.empty();
  const auto inbox = std::make_shared<Inbox>();
  const Session::Handler handler{
      [inbox](wire::Message message) { inbox->on_message(std::move(message)); },
      [inbox](const Error& error) { inbox->on_lost(error); }};
  HAWSER_ASSIGN(auto session, Session::start(std::move(met.line), liveness(options), handler));
  HAWSER_ASSIGN(terms.setup, settle(options, terms.plan, *environment, *session, *inbox));
  return std::make_shared<Measurement>(std::move(environment), std::move(terms), std::move(session),
                                       inbox);
}

}  // namespace hawser
