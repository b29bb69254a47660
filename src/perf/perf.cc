#include <fmt/core.h>

#include <algorithm>
#include <random>

#include <hawser/perf.h>

#include "base/bounded.h"
#include "bootstrap/rendezvous.h"
#include "bootstrap/socket.h"
#include "perf/affinity.h"
#include "perf/measurement.h"
#include "perf/options.h"
#include "perf/report.h"
#include "perf/ring.h"
#include "perf/sizes.h"
#include "perf/survey.h"

namespace hawser {
namespace {

// Staged GPU memory is copied through slots of this size.
constexpr std::uint64_t kStagedChunkBytes = 512 * 1024;
constexpr int kMostWindow = 256;  // where the transport would take even more
constexpr int kPortTries = 32;
constexpr int kFirstFreePort = 20'000;
constexpr int kLastFreePort = 32'000;  // below where Linux takes ports for connections from
// A step ends at its timeout, and its data is prepared and compared besides; what is not back
// after that hangs in a call of a plugin.
constexpr Milliseconds kHangSlack{10'000};

EnvironmentChoice choice_of(const PerfOptions& options) {
  return {options.plugin, options.device, options.memory, options.gpu, options.chunk_bytes};
}

std::uint64_t own_chunk_bytes(const PerfOptions& options, const Environment& environment) {
  const NetCapabilities& can = environment.net_device().capabilities;
  std::uint64_t most = std::min<std::uint64_t>(can.max_request_bytes, wire::kMaxTransferBytes);
  if (options.chunk_bytes != 0) return std::min(most, options.chunk_bytes);
  const bool staged = environment.memory == MemoryKind::cuda && !can.cuda_pointers;
  return staged ? std::min(most, kStagedChunkBytes) : most;
}

int own_window(const PerfOptions& options, const Environment& environment) {
  const int most = std::clamp(environment.net_device().capabilities.max_requests, 1, kMostWindow);
  return options.window == 0 ? most : std::min(options.window, most);
}

// What a strand needs for the largest of the sizes.
std::uint64_t largest_ring(const PerfOptions& options, int window) {
  std::uint64_t most = kPageBytes;
  for (const std::uint64_t bytes : options.sizes)
    most = std::max(
        most, bytes * ring_slots(bytes, options.ring_bytes, static_cast<std::size_t>(window)));
  return (most + kPageBytes - 1) / kPageBytes * kPageBytes;
}

std::string local_address(const UniqueFd& socket) {
  sockets::Address own;
  own.bytes = sizeof own.storage;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own.storage), &own.bytes);
  const std::string text = own.text();
  const std::string host = text.substr(0, text.rfind(':'));
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

// One side, from its options to its report.
class PerfRun {
 public:
  PerfRun(const PerfOptions& options, const PerfOutput& output)
      : options_(completed(options)), output_(output) {}

  PerfReport run();

 private:
  Status go();
  Status open_environment();
  Status serve();
  Status call();
  Result<std::unique_ptr<RendezvousServer>> listen();
  Result<wire::Plan> decide(const wire::Hello& hello) const;
  wire::Hello hello() const;
  wire::PerfSetup setup() const;
  Status meet(Rendezvous met);
  Status hear_setup(MeasurementTerms& terms, Inbox& inbox) const;
  Status measure();
  Status serve_steps();
  Status survey();
  Status finish();
  void release();
  void describe();
  Session::Options liveness() const;
  PerfReport report(const Status& ran);
  void note(std::string_view line) const {
    if (output_.note) output_.note(line);
  }
  // Runs `work` in a thread of its own; what it captured must be shared, or outlive the process.
  template <class T>
  Result<T> bounded(const char* what, std::function<Result<T>()> work);

  const PerfOptions options_;
  const PerfOutput& output_;
  PerfOutcome outcome_;
  const std::shared_ptr<CallJournal> journal_ = std::make_shared<CallJournal>();
  std::shared_ptr<Environment> environment_;
  std::shared_ptr<Measurement> measurement_;
  std::optional<MeasurementTerms> terms_;
  bool abandoned_ = false;
};

template <class T>
Result<T> PerfRun::bounded(const char* what, std::function<Result<T>()> work) {
  const auto result = std::make_shared<std::optional<Result<T>>>();
  const Milliseconds give_up = Milliseconds(2 * options_.timeout_ms) + kHangSlack;
  HAWSER_ASSIGN(
      const bool back,
      run_bounded([result, work = std::move(work)] { result->emplace(work()); }, give_up));
  if (back) return std::move(**result);
  abandoned_ = true;
  return Error(Code::timeout, fmt::format("{}: {}", what, stuck_text(*journal_)));
}

PerfReport PerfRun::run() {
  if (const Status good = check_options(options_); !good.ok()) {
    note(good.error().message());
    return {PerfStatus::bad_options, "", "", "", false};
  }
  const Status ran = go();
  const PerfReport out = report(ran);
  release();
  return {out.status, out.table, out.csv, out.json, abandoned_};
}

Status PerfRun::go() {
  std::vector<int> cpus;
  if (!options_.cpus.empty()) {
    HAWSER_ASSIGN(cpus, parse_cpus(options_.cpus));
  }
  HAWSER_ASSIGN(const ScopedAffinity pinned, ScopedAffinity::pin(cpus));
  HAWSER_TRY(open_environment());
  return options_.role == Role::server ? serve() : call();
}

Status PerfRun::open_environment() {
  const auto opened = bounded<std::shared_ptr<Environment>>(
      "opening the transport",
      [choice = choice_of(options_), journal = journal_]() -> Result<std::shared_ptr<Environment>> {
        HAWSER_ASSIGN(Environment environment, hawser::open_environment(choice, journal));
        return std::make_shared<Environment>(std::move(environment));
      });
  if (!opened.ok()) return opened.error();
  environment_ = *opened;
  return {};
}

Result<std::unique_ptr<RendezvousServer>> PerfRun::listen() {
  if (options_.port_base != 0)
    return RendezvousServer::listen(options_.address, options_.port_base, options_.gpu, 1);
  std::random_device random;
  for (int attempt = 1;; ++attempt) {
    const int port = kFirstFreePort + static_cast<int>(random() % (kLastFreePort - kFirstFreePort));
    const int base = port - options_.gpu * kPortsPerGpu;
    auto server = RendezvousServer::listen(options_.address, base, options_.gpu, 1);
    if (server.ok() && output_.listening) output_.listening(base);
    if (server.ok() || attempt == kPortTries) return server;
  }
}

Status PerfRun::serve() {
  HAWSER_ASSIGN(const auto server, listen());
  if (options_.port_base != 0 && output_.listening) output_.listening(options_.port_base);
  note(fmt::format("waiting for a client at {}", server->address()));
  HAWSER_ASSIGN(Rendezvous met,
                server->accept([this](const wire::Hello& said) { return decide(said); },
                               Deadline::after(Milliseconds(options_.timeout_ms))));
  return meet(std::move(met));
}

Status PerfRun::call() {
  HAWSER_ASSIGN(Rendezvous met,
                rendezvous_connect(options_.address, options_.port_base, options_.peer_gpu, hello(),
                                   Deadline::after(Milliseconds(options_.timeout_ms))));
  const wire::Hello asked = hello();
  if (met.plan.chunk_bytes > asked.max_request_bytes || met.plan.channels != asked.channels ||
      met.plan.bytes != asked.bytes)
    return Error(Code::protocol, "the server planned something else than this side asked for");
  return meet(std::move(met));
}

wire::Hello PerfRun::hello() const {
  wire::Hello hello;
  hello.gpu = static_cast<std::uint32_t>(options_.gpu);
  hello.target_gpu = static_cast<std::uint32_t>(options_.peer_gpu);
  hello.channels = static_cast<std::uint32_t>(options_.channels);
  hello.bytes = largest_ring(options_, own_window(options_, *environment_));
  hello.max_request_bytes = own_chunk_bytes(options_, *environment_);
  hello.memory = environment_->memory == MemoryKind::cuda ? 2 : 1;
  hello.purpose = wire::Purpose::performance;
  hello.transport = environment_->transport.net->name();
  return hello;
}

wire::PerfSetup PerfRun::setup() const {
  return {static_cast<std::uint32_t>(own_window(options_, *environment_)),
          static_cast<std::uint32_t>(options_.bare_sockets), options_.ring_bytes,
          static_cast<std::uint8_t>(static_cast<int>(options_.idle) + 1)};
}

Result<wire::Plan> PerfRun::decide(const wire::Hello& said) const {
  const std::string& transport = environment_->transport.net->name();
  if (said.purpose != wire::Purpose::performance)
    return Error(Code::peer, "the client comes to validate, this is a server of `hawser perf`");
  if (said.transport != transport)
    return Error(Code::peer, fmt::format("the client's transport is '{}', the server's '{}': give "
                                         "both sides the same --plugin",
                                         said.transport, transport));
  if (said.target_gpu != static_cast<std::uint32_t>(options_.gpu) || said.channels == 0 ||
      said.bytes == 0)
    return Error(Code::peer, fmt::format("the client wants GPU {}, {} channels of {} bytes; this "
                                         "server is GPU {}",
                                         said.target_gpu, said.channels, said.bytes, options_.gpu));
  wire::Plan plan;
  plan.gpu = static_cast<std::uint32_t>(options_.gpu);
  plan.channels = said.channels;
  plan.iterations = 1;
  plan.timeout_ms = static_cast<std::uint32_t>(options_.timeout_ms);
  plan.bytes = said.bytes;
  plan.chunk_bytes = std::min(own_chunk_bytes(options_, *environment_), said.max_request_bytes);
  plan.seed = std::random_device()() | (std::uint64_t{std::random_device()()} << 32);
  plan.transport = transport;
  return plan;
}

Session::Options PerfRun::liveness() const {
  Session::Options options;
  options.liveness = std::min(options.liveness, Milliseconds(options_.timeout_ms));
  options.heartbeat = std::min(options.heartbeat, options.liveness / 4);
  return options;
}

Status PerfRun::meet(Rendezvous met) {
  MeasurementTerms terms;
  terms.role = options_.role;
  terms.plan = met.plan;
  terms.threads = options_.threads;
  terms.timeout = Milliseconds(options_.timeout_ms);
  terms.local_address = local_address(met.socket);
  terms.bare_congestion = options_.bare_congestion;
  terms.cpus_chosen = !options_.cpus.empty();
  const auto inbox = std::make_shared<Inbox>();
  const Session::Handler handler{
      [inbox](wire::Message message) { inbox->on_message(std::move(message)); },
      [inbox](const Error& error) { inbox->on_lost(error); }};
  HAWSER_ASSIGN(auto session, Session::start(std::move(met.socket), met.peer,
                                             std::move(met.decoder), liveness(), handler));
  terms.setup = setup();
  if (options_.role == Role::client) HAWSER_TRY(session->send(terms.setup));
  if (options_.role == Role::server) HAWSER_TRY(hear_setup(terms, *inbox));
  terms_ = terms;
  measurement_ = std::shared_ptr<Measurement>(
      new Measurement(*environment_, std::move(terms), std::move(session), inbox),
      [environment = environment_](Measurement* it) { delete it; });
  const Status measured = measure();
  if (!measured.ok()) measurement_->give_up(measured.error().message());
  return measured;
}

Status PerfRun::hear_setup(MeasurementTerms& terms, Inbox& inbox) const {
  HAWSER_ASSIGN(terms.setup,
                inbox.wait<wire::PerfSetup>(Deadline::after(terms.timeout), "what it wants"));
  return {};
}

Status PerfRun::measure() {
  HAWSER_TRY((bounded<bool>("opening the channels", [it = measurement_]() -> Result<bool> {
    HAWSER_TRY(it->open());
    return true;
  })));
  describe();
  HAWSER_TRY(options_.role == Role::server ? serve_steps() : survey());
  return finish();
}

Status PerfRun::serve_steps() {
  note(fmt::format("measuring with {}", measurement_->peer_host()));
  while (true) {
    HAWSER_ASSIGN(const wire::PerfStep step, measurement_->next_step());
    if (step.kind == wire::PerfKind::end) return {};
    HAWSER_TRY((bounded<StepReport>("a step",
                                    [it = measurement_, step] { return it->run(step, nullptr); })));
  }
}

Status PerfRun::survey() {
  const Survey::RunStep run_step = [this](const wire::PerfStep& step, LatencyHistogram* latency) {
    const auto own = std::make_shared<LatencyHistogram>();
    auto report =
        bounded<StepReport>("a step", [it = measurement_, step, own]() -> Result<StepReport> {
          HAWSER_TRY(it->announce(step));
          return it->run(step, own.get());
        });
    if (latency != nullptr) latency->merge(*own);
    return report;
  };
  HAWSER_TRY(Survey(options_, run_step, output_.progress).run(outcome_));
  wire::PerfStep end{1, wire::PerfKind::end, false, 1, 0, 1};
  return measurement_->announce(end);
}

// Neither side closes a connection that the other still reads.
Status PerfRun::finish() {
  return measurement_->part();
}

void PerfRun::describe() {
  const Net& net = *environment_->transport.net;
  const bool client = options_.role == Role::client;
  outcome_.transport = net.name();
  outcome_.transport_description =
      fmt::format("{} ({})", net.description(), environment_->transport.why);
  outcome_.client_host = client ? measurement_->own_host() : measurement_->peer_host();
  outcome_.server_host = client ? measurement_->peer_host() : measurement_->own_host();
  outcome_.channels = static_cast<int>(terms_->plan.channels);
  outcome_.window = static_cast<int>(terms_->setup.window);
  outcome_.chunk_bytes = terms_->plan.chunk_bytes;
  outcome_.ring_bytes = terms_->setup.ring_bytes;
  outcome_.bidirectional = options_.bidirectional;
  outcome_.repeats = options_.repeats;
  outcome_.duration_ms = options_.duration_ms;
  outcome_.idle = idle_name(options_.idle);
  outcome_.bare_sockets = static_cast<int>(terms_->setup.bare_sockets);
  outcome_.bare_congestion = measurement_->bare_congestion();
}

// Channels and transport go in a thread of their own: a plugin may hang when it is closed, too.
void PerfRun::release() {
  if (abandoned_) {
    // What the stuck thread may touch lives on; the caller ends the process.
    if (measurement_) new std::shared_ptr<Measurement>(measurement_);
    return;
  }
  const auto closed =
      bounded<bool>("closing the transport",
                    [measurement = std::exchange(measurement_, nullptr),
                     environment = std::exchange(environment_, nullptr)]() mutable -> Result<bool> {
                      if (measurement) measurement->close();
                      measurement.reset();
                      environment.reset();
                      return true;
                    });
  if (!closed.ok()) note(closed.error().message());
}

PerfReport PerfRun::report(const Status& ran) {
  if (!ran.ok()) outcome_.error = ran.error().message();
  if (!ran.ok()) note("error: " + ran.error().message());
  const bool begun = !outcome_.transport.empty();
  const PerfStatus status = ran.ok() ? PerfStatus::measured
                            : begun  ? PerfStatus::failed
                                     : PerfStatus::could_not_run;
  if (!begun || options_.role == Role::server) return {status, "", "", "", abandoned_};
  return {status, table_of(outcome_), csv_of(outcome_), json_of(outcome_), abandoned_};
}

}  // namespace

PerfReport perf(const PerfOptions& options, const PerfOutput& output) {
  return PerfRun(options, output).run();
}

}  // namespace hawser
