#include "validation/validate.h"

#include <fmt/core.h>

#include <algorithm>
#include <random>

#include "base/bounded.h"
#include "base/log.h"
#include "bootstrap/rendezvous.h"
#include "side/checks.h"
#include "validation/run.h"
#include "validation/steps.h"

namespace hawser {
namespace {

constexpr std::size_t kDefaultChunkBytes = 512 * 1024;
constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 40;

Status check(const ValidateOptions& options) {
  HAWSER_TRY(check_side(options));
  HAWSER_TRY(in_range("gpu", options.gpu, 0, 8191));
  HAWSER_TRY(in_range("channels", options.channels, 1, static_cast<int>(wire::kMaxChannels)));
  HAWSER_TRY(in_range("bytes", options.bytes, std::uint64_t{1}, kMaxBytes));
  HAWSER_TRY(in_range("iterations", options.iterations, 1, 1'000'000));
  HAWSER_TRY(channel_port(options.port_base, options.gpu, options.channels - 1));
  return {};
}

std::size_t own_chunk_limit(const ValidateOptions& options, const Environment& environment) {
  const std::size_t most = environment.net_device().capabilities.max_request_bytes;
  return options.chunk_bytes == 0 ? std::min(kDefaultChunkBytes, most)
                                  : std::min<std::size_t>(options.chunk_bytes, most);
}

// The run of one side: what it was asked, what it stands on, what it found.
class Validation {
 public:
  Validation(const ValidateOptions& options, const SideOutput& output)
      : options_(options), output_(output), report_(output.report, outcome_.subject) {}

  SideResult run();

 private:
  Status prepare();
  Status open();
  void release();
  Status serve();
  Status call();
  Status start(Rendezvous met);
  Result<wire::Plan> decide(const wire::Hello& hello) const;
  wire::Plan plan(std::uint64_t peer_max_request_bytes) const;
  wire::Hello hello() const;
  void describe(const wire::Plan& plan);
  void tell_turns();
  void tell_unpack();
  Session::Options liveness() const;
  SideResult could_not_run(const Error& error);
  SideResult finished();

  const ValidateOptions& options_;
  const SideOutput& output_;
  Outcome outcome_;
  Report report_;
  const std::shared_ptr<CallJournal> journal_ = std::make_shared<CallJournal>();
  std::optional<Environment> environment_;
  bool abandoned_ = false;
};

SideResult Validation::run() {
  if (const Status options = check(options_); !options.ok()) {
    output_.note(options.error().message());
    return {RunStatus::bad_options, "", "", "", false};
  }
  Status ran = prepare();
  if (ran.ok()) ran = options_.role == Role::server ? serve() : call();
  release();
  return ran.ok() ? finished() : could_not_run(ran.error());
}

// In a thread of its own: a plugin may hang in init() as anywhere else.
Status Validation::open() {
  const auto opened = std::make_shared<std::optional<Result<Environment>>>();
  const auto work = [opened, options = options_, journal = journal_] {
    opened->emplace(open_environment(environment_choice(options), journal));
  };
  HAWSER_ASSIGN(const bool back, run_bounded(work, Milliseconds(options_.timeout_ms)));
  if (!back) {
    abandoned_ = true;
    return Error(Code::timeout, "opening the transport: " + stuck_text(*journal_));
  }
  HAWSER_ASSIGN(environment_, std::move(**opened));
  return {};
}

// The transport goes in a thread of its own too: a plugin may hang in finalize().
void Validation::release() {
  if (!environment_ || abandoned_) return;
  const auto last = std::make_shared<std::optional<Environment>>(std::move(environment_));
  environment_.reset();
  const auto back = run_bounded([last] { last->reset(); }, Milliseconds(options_.timeout_ms));
  if (back.ok() && *back) return;
  abandoned_ = true;
  output_.note("closing the transport: " + stuck_text(*journal_));
}

Status Validation::prepare() {
  HAWSER_TRY(open());
  const Environment& environment = *environment_;
  output_.note(fmt::format("transport: {} ({})", environment.transport.net->description(),
                           environment.transport.why));
  output_.note(fmt::format("memory: {}", environment.memory_name));
  if (environment.leaves_data_out())
    return Error(Code::invalid_argument,
                 "HAWSER_UNPACK=none leaves the data out, and there would be nothing to validate: "
                 "unset it, or measure with hawser perf");
  return {};
}

void Validation::describe(const wire::Plan& plan) {
  Subject& subject = outcome_.subject;
  const Net& net = *environment_->transport.net;
  subject.role = options_.role;
  subject.gpu = options_.gpu;
  subject.device_index = environment_->device;
  subject.device = environment_->net_device();
  subject.device_count = static_cast<int>(net.devices().size());
  subject.channels = static_cast<int>(plan.channels);
  subject.bytes = plan.bytes;
  subject.iterations = static_cast<int>(plan.iterations);
  subject.chunk_bytes = plan.chunk_bytes;
  subject.memory = environment_->memory;
  subject.memory_name = environment_->memory_name;
  subject.unpack = environment_->unpack();
  subject.transport = net.name();
  subject.transport_description = net.description();
  subject.isolated = environment_->transport.isolated;
}

Status Validation::serve() {
  HAWSER_ASSIGN(const auto server, RendezvousServer::listen(options_.address, options_.port_base,
                                                            options_.gpu, options_.channels));
  describe(plan(hello().max_request_bytes));
  report_.banner();
  report_.starting();
  HAWSER_ASSIGN(Rendezvous met,
                server->accept([this](const wire::Hello& said) { return decide(said); },
                               Deadline::after(Milliseconds(options_.timeout_ms))));
  describe(met.plan);
  return start(std::move(met));
}

Status Validation::call() {
  const int peer_gpu = options_.target_gpu();
  reached("hello");
  HAWSER_ASSIGN(Rendezvous met,
                rendezvous_connect(options_.address, options_.port_base, peer_gpu, hello(),
                                   Deadline::after(Milliseconds(options_.timeout_ms))));
  reached("plan");
  if (met.plan.chunk_bytes > own_chunk_limit(options_, *environment_))
    return Error(Code::protocol,
                 fmt::format("the server planned chunks of {} bytes, more than this side offered",
                             met.plan.chunk_bytes));
  if (static_cast<int>(met.plan.channels) != options_.channels)
    output_.note(fmt::format("the server gives {} channels, not {}: using its", met.plan.channels,
                             options_.channels));
  describe(met.plan);
  report_.banner();
  report_.starting();
  return start(std::move(met));
}

wire::Hello Validation::hello() const {
  wire::Hello hello;
  hello.gpu = static_cast<std::uint32_t>(options_.gpu);
  hello.target_gpu = static_cast<std::uint32_t>(options_.target_gpu());
  hello.channels = static_cast<std::uint32_t>(options_.channels);
  hello.bytes = options_.bytes;
  hello.max_request_bytes = own_chunk_limit(options_, *environment_);
  hello.memory = environment_->memory == MemoryKind::cuda ? 2 : 1;
  hello.transport = environment_->transport.net->name();
  return hello;
}

Result<wire::Plan> Validation::decide(const wire::Hello& said) const {
  const std::string& transport = environment_->transport.net->name();
  if (said.purpose != wire::Purpose::validation)
    return Error(Code::peer, "the client comes from `hawser perf`, this server validates");
  if (said.transport != transport)
    return Error(
        Code::peer,
        fmt::format("the client's transport is '{}', the server's '{}': give both sides the same "
                    "--plugin",
                    said.transport, transport));
  if (said.target_gpu != static_cast<std::uint32_t>(options_.gpu))
    return Error(
        Code::peer,
        fmt::format("the client wants GPU {}, this server is GPU {}: check --gpu, --peer-gpu and "
                    "--port-base",
                    said.target_gpu, options_.gpu));
  reached("plan");
  return plan(said.max_request_bytes);
}

wire::Plan Validation::plan(std::uint64_t peer_max_request_bytes) const {
  wire::Plan plan;
  plan.gpu = static_cast<std::uint32_t>(options_.gpu);
  plan.channels = static_cast<std::uint32_t>(options_.channels);
  plan.iterations = static_cast<std::uint32_t>(options_.iterations);
  plan.timeout_ms = static_cast<std::uint32_t>(options_.timeout_ms);
  plan.bytes = options_.bytes;
  plan.chunk_bytes =
      std::min<std::uint64_t>(own_chunk_limit(options_, *environment_), peer_max_request_bytes);
  plan.seed = std::random_device()() | (std::uint64_t{std::random_device()()} << 32);
  plan.serialize_create = options_.serialize_create;
  plan.transport = environment_->transport.net->name();
  return plan;
}

Session::Options Validation::liveness() const {
  Session::Options options;
  options.liveness = std::min(options.liveness, Milliseconds(options_.timeout_ms));
  options.heartbeat = std::min(options.heartbeat, options.liveness / 4);
  return options;
}

Status Validation::start(Rendezvous met) {
  const auto state = std::make_shared<RunState>(options_.role, *environment_, met.plan);
  const Session::Handler handler{
      [board = state->board](const wire::Message& message) { board->on_message(message); },
      [board = state->board](const Error& error) { board->on_lost(error); }};
  HAWSER_ASSIGN(state->session, Session::start(std::move(met.line), liveness(), handler));
  tell_turns();
  Run run(state, report_, output_.note);
  const Status ran = run.execute(outcome_);
  tell_unpack();
  if (ran.ok()) report_.verdict(outcome_);
  if (!ran.ok()) state->session->refuse(ran.error().message());
  run.close();
  abandoned_ = run.threads_abandoned();
  return ran;
}

// What is less concurrent than it looks.
void Validation::tell_turns() {
  if (!environment_->net_device().capabilities.one_creation_at_a_time) return;
  output_.note(
      "listen, connect and accept go into the plugin one at a time: two at once may cost a "
      "connection its bounce pool; all else of making channels is concurrent");
}

// What really ran, where this side has received anything.
void Validation::tell_unpack() {
  outcome_.subject.unpack = environment_->unpack();
  const std::string ran = environment_->transport.unpack.use->text();
  if (!ran.empty()) output_.note(fmt::format("unpacked by: {}", ran));
}

SideResult Validation::could_not_run(const Error& error) {
  output_.note(fmt::format("error: {}", error.message()));
  if (outcome_.subject.channels == 0) return {RunStatus::could_not_run, "", "", "", abandoned_};
  // The banner is out: the report ends as every report does.
  outcome_.first.channels.assign(static_cast<std::size_t>(outcome_.subject.channels),
                                 ChannelOutcome());
  outcome_.not_run = error;
  report_.verdict(outcome_);
  return {RunStatus::could_not_run, "", outcome_json(outcome_), "", abandoned_};
}

SideResult Validation::finished() {
  const RunStatus status = outcome_.first.passed() ? RunStatus::passed : RunStatus::failed;
  return {status, "", outcome_json(outcome_), "", abandoned_};
}

}  // namespace

SideResult validate(const ValidateOptions& given, const SideOutput& output) {
  ValidateOptions options = given;
  if (const Status completed = complete_port_base(options); !completed.ok()) {
    output.note(completed.error().message());
    return {RunStatus::bad_options, "", "", "", false};
  }
  return Validation(options, output).run();
}

}  // namespace hawser
