#include "node/node.h"

#include <fmt/core.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <thread>

#include "base/bounded.h"
#include "base/parameters.h"
#include "base/thread.h"
#include "bootstrap/rendezvous.h"
#include "node/gpu_run.h"
#include "node/kernel_counts.h"
#include "node/options.h"
#include "node/progress.h"
#include "node/report.h"

namespace hawser::node {
namespace {

constexpr Milliseconds kLook{50};             // between looks at the threads
constexpr Milliseconds kHangSlack{10'000};    // for opening and closing the transport
constexpr Milliseconds kAbandonAfter{2'000};  // of threads that nothing can call back

std::string host_name() {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0 || *name == '\0') return "unknown host";
  return name;
}

std::uint64_t random_number() {
  std::random_device random;
  return (std::uint64_t{random()} << 32 | random()) | 1;  // never 0
}

EngineOptions engine_options(const NodeOptions& options, const Places& places) {
  EngineOptions engine;
  engine.plugin = options.plugin;
  engine.devices = options.devices;
  if (places.gpus.front().link_gpu >= 0) engine.gpu_nic_map = options.gpu_nic_map;
  engine.chunk_bytes = options.chunk_bytes;
  engine.isolate = options.isolate;
  engine.data_ports = options.data_ports;
  engine.advertise = options.advertise;
  return engine;
}

// One side, from its options to its report.
class NodeRun {
 public:
  NodeRun(const NodeOptions& options, const SideOutput& output)
      : options_(options), output_(output) {}

  SideResult run();

 private:
  Status settle_options();
  Status prepare();
  Status open_engine();
  Status listen();
  Status start();
  void watch();
  void call_back();
  std::vector<GpuSample> samples() const;
  bool all_left() const;
  bool only_stuck_ones_are_left() const;
  void end_threads();
  NodeOutcome collect() const;
  GpuOutcome outcome_of(std::size_t gpu) const;
  SideResult report() const;
  SideResult no_report(const Error& why, bool wrong_options) const;
  void close();
  void note(std::string_view line) const {
    if (output_.note) output_.note(line);
  }
  void pass_notes_on() const;
  bool interrupted() const { return output_.interrupted && output_.interrupted(); }

  NodeOptions options_;
  const SideOutput& output_;
  std::shared_ptr<NodeState> state_;
  std::vector<Thread> threads_;      // by GPU
  std::optional<Deadline> give_up_;  // with threads, once the run is stopped or called off
  KernelCounters kernel_{parameters::kSysfsRoot.text_or_default()};
  bool abandoned_ = false;
};

SideResult NodeRun::run() {
  Status good = settle_options();
  const bool wrong = !good.ok() && good.error().code() == Code::invalid_argument;
  if (good.ok()) good = prepare();
  if (good.ok()) good = start();
  if (good.ok()) watch();
  SideResult result = good.ok() ? report() : no_report(good.error(), wrong);
  close();
  result.threads_abandoned = abandoned_;
  return result;
}

Status NodeRun::settle_options() {
  HAWSER_ASSIGN(options_, completed(options_));
  HAWSER_TRY(check_options(options_));
  HAWSER_ASSIGN(Places places, find_places(options_));
  state_ = std::make_shared<NodeState>(options_, std::move(places));
  return {};
}

Status NodeRun::prepare() {
  state_->host = host_name();
  state_->process = random_number();
  state_->seed = random_number();
  note("devices: " + state_->places.words);
  HAWSER_TRY(open_engine());
  note("transport: " + state_->engine->description());
  HAWSER_TRY(choose_nics(state_->places, state_->engine->devices(), options_.gpu_nic_map));
  kernel_.start(state_->engine->devices());
  const auto last = static_cast<int>(state_->places.gpus.size()) - 1;
  HAWSER_TRY(channel_port(options_.port_base, last, 0));
  return options_.role == Role::server ? listen() : Status();
}

// In a thread of its own: a plugin may hang when it is opened.
Status NodeRun::open_engine() {
  using Created = Result<std::unique_ptr<Engine>>;
  const auto created = std::make_shared<std::optional<Created>>();
  const auto work = [created, options = engine_options(options_, state_->places)] {
    created->emplace(Engine::create(options));
  };
  HAWSER_ASSIGN(const bool back, run_bounded(work, Milliseconds(options_.timeout_ms) + kHangSlack));
  if (!back) {
    abandoned_ = true;
    return Error(Code::timeout, "opening the transport: it never came back");
  }
  HAWSER_ASSIGN(state_->engine, std::move(**created));
  return {};
}

Status NodeRun::listen() {
  for (std::size_t gpu = 0; gpu < state_->places.gpus.size(); ++gpu) {
    HAWSER_ASSIGN(const std::uint16_t port,
                  channel_port(options_.port_base, static_cast<int>(gpu), 0));
    auto acceptor = state_->engine->listen(options_.address, port, state_->link_options(gpu));
    if (!acceptor.ok())
      return acceptor.error().within(
          fmt::format("GPU {}: listening on port {} (base {} + {} * {}; --port-base)", gpu, port,
                      options_.port_base, gpu, kPortsPerGpu));
    state_->acceptors.push_back(std::move(*acceptor));
  }
  note(fmt::format("listening on {}, ports {} to {}, one for each of {} GPUs", options_.address,
                   state_->acceptors.front()->port(), state_->acceptors.back()->port(),
                   state_->acceptors.size()));
  return {};
}

// All GPUs at once, each in a thread.
Status NodeRun::start() {
  for (std::size_t gpu = 0; gpu < state_->places.gpus.size(); ++gpu) {
    auto thread = Thread::start(fmt::format("hw-gpu{}", gpu),
                                [state = state_, gpu] { GpuRun(state, gpu).run(); });
    if (!thread.ok()) {
      state_->board.call_off(thread.error());
      watch();
      return thread.error();
    }
    threads_.push_back(std::move(*thread));
  }
  return {};
}

void NodeRun::watch() {
  Progress progress(Clock::system().now());
  TimePoint next = Clock::system().now() + Milliseconds(output_.progress_ms);
  while (!all_left() && !only_stuck_ones_are_left()) {
    std::this_thread::sleep_for(kLook);
    pass_notes_on();
    if (!give_up_ && (interrupted() || state_->board.called_off())) call_back();
    if (Clock::system().now() < next) continue;
    next += Milliseconds(output_.progress_ms);
    if (output_.progress) output_.progress(progress.line(samples(), Clock::system().now()));
  }
  end_threads();
  pass_notes_on();
}

// Whoever waits for a client comes back at once, whoever moves data as soon as it is in order.
// Whoever looks for a server cannot be called.
void NodeRun::call_back() {
  give_up_ = Deadline::after(kAbandonAfter);
  for (const auto& acceptor : state_->acceptors) acceptor->close();
  if (state_->board.called_off()) return;
  note("interrupted: ending in good order; a second time ends at once");
  state_->board.stop();
}

std::vector<GpuSample> NodeRun::samples() const {
  std::vector<GpuSample> all;
  for (const GpuView& view : state_->views) all.push_back(view.sample());
  return all;
}

bool NodeRun::all_left() const {
  for (std::size_t gpu = 0; gpu < threads_.size(); ++gpu)
    if (!state_->views[gpu].left()) return false;
  return true;
}

bool NodeRun::only_stuck_ones_are_left() const {
  if (!give_up_ || !give_up_->expired()) return false;
  for (std::size_t gpu = 0; gpu < threads_.size(); ++gpu) {
    const GpuView& view = state_->views[gpu];
    if (!view.left() && view.sample().stage != Stage::meeting) return false;
  }
  return true;
}

void NodeRun::end_threads() {
  for (std::size_t gpu = 0; gpu < threads_.size(); ++gpu) {
    const bool left = state_->views[gpu].left();
    left ? threads_[gpu].join() : threads_[gpu].abandon();
    abandoned_ = abandoned_ || !left;
  }
}

GpuOutcome NodeRun::outcome_of(std::size_t gpu) const {
  if (auto outcome = state_->views[gpu].outcome()) return std::move(*outcome);
  GpuOutcome stuck;
  stuck.gpu = static_cast<int>(gpu);
  stuck.name = state_->places.gpus[gpu].name;
  stuck.error = state_->board.called_off().value_or(
      Error(Code::cancelled, "interrupted before it had met the other side"));
  return stuck;
}

NodeOutcome NodeRun::collect() const {
  NodeOutcome outcome;
  outcome.role = options_.role;
  outcome.host = state_->host;
  outcome.transport = state_->engine->description();
  outcome.devices = state_->places.words;
  outcome.played = state_->places.played;
  outcome.interrupted = state_->board.stopping();
  if (const auto settled = state_->board.settled()) {
    outcome.peer_host = settled->peer.host;
    outcome.peer_memory = settled->peer.cuda ? "GPU memory" : "host memory";
    outcome.terms = settled->plan.server.terms;
  }
  for (std::size_t gpu = 0; gpu < state_->places.gpus.size(); ++gpu) {
    outcome.gpus.push_back(outcome_of(gpu));
    outcome.interrupted = outcome.interrupted || outcome.gpus.back().interrupted;
  }
  outcome.kernel = kernel_.counts(outcome);
  return outcome;
}

SideResult NodeRun::report() const {
  const NodeOutcome outcome = collect();
  const Accounts accounts = keep_accounts(outcome);
  return {status_of(outcome, accounts), table_of(outcome, accounts), json_of(outcome, accounts), "",
          false};
}

SideResult NodeRun::no_report(const Error& why, bool wrong_options) const {
  note("error: " + why.message());
  return {wrong_options ? RunStatus::bad_options : RunStatus::could_not_run, "", "", "", false};
}

// In a thread of its own: a plugin may hang when it is closed, too.
void NodeRun::close() {
  if (!state_ || abandoned_) return;
  const auto last = std::make_shared<std::shared_ptr<NodeState>>(std::move(state_));
  const auto closed = std::make_shared<Status>();
  const auto work = [last, closed] {
    if ((*last)->engine) *closed = (*last)->engine->close();
    last->reset();
  };
  const auto back = run_bounded(work, Milliseconds(options_.timeout_ms) + kHangSlack);
  const bool came_back = back.ok() && *back;
  if (came_back && closed->ok()) return;
  abandoned_ = true;
  note("closing the transport: " + (came_back ? closed->error().message() : "it never came back"));
}

void NodeRun::pass_notes_on() const {
  for (const std::string& line : state_->board.take_notes()) note(line);
}

}  // namespace
}  // namespace hawser::node

namespace hawser {

SideResult run_node(const NodeOptions& options, const SideOutput& output) {
  return node::NodeRun(options, output).run();
}

}  // namespace hawser
