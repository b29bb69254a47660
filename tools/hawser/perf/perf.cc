#include "perf/perf.h"

#include <fmt/core.h>

#include "base/bounded.h"
#include "engine/engine_core.h"
#include "net/hosted/hosting.h"
#include "perf/affinity.h"
#include "perf/meeting.h"
#include "perf/options.h"
#include "perf/report.h"
#include "perf/sizes.h"
#include "perf/survey.h"
#include "side/checks.h"

namespace hawser {
namespace {

// A step ends at its timeout, and its data is prepared and compared besides; what is not back
// after twice the timeout and this hangs in a call of a plugin.
constexpr Milliseconds kHangSlack{10'000};

EnvironmentChoice choice_of(const PerfOptions& options) {
  EnvironmentChoice choice = environment_choice(options);
  choice.transport.sockets = options.sockets;
  // An engine wants channels of one socket each; where two sides differ the smaller number counts.
  const bool builtin = options.plugin == "builtin" || plugin_candidates(options.plugin).empty();
  if (options.role == Role::client && options.over == PerfOver::link && builtin &&
      options.sockets == 0)
    choice.transport.sockets = 1;
  return choice;
}

// Where the user leaves it open.
int default_channels(const PerfOptions& options, const Environment& environment) {
  if (options.over == PerfOver::net) return 1;
  const bool loopback = environment.net_device().name == "lo";
  return engine::default_channels(*environment.transport.net, 1, loopback);
}

// One side, from its options to its report. What may hang in a plugin runs in threads of its own,
// which share what they use with this object: it may go while one of them is stuck.
class PerfRun {
 public:
  PerfRun(const PerfOptions& options, const SideOutput& output)
      : options_(completed(options)), output_(output) {}

  SideResult run();

 private:
  Status go();
  Status open();
  Status measure();
  Status serve();
  Status survey();
  void describe();
  void release();
  SideResult report(const Status& ran);
  void note(std::string_view line) const {
    if (output_.note) output_.note(line);
  }
  template <class Work>
  auto bounded(const char* what, Work work) -> decltype(work());

  PerfOptions options_;
  const SideOutput& output_;
  PerfOutcome outcome_;
  const std::shared_ptr<CallJournal> journal_ = std::make_shared<CallJournal>();
  std::shared_ptr<const Environment> environment_;
  std::shared_ptr<Measurement> measurement_;
  bool abandoned_ = false;
};

// The result of `work`, which must share what it captures.
template <class Work>
auto PerfRun::bounded(const char* what, Work work) -> decltype(work()) {
  const auto result = std::make_shared<std::optional<decltype(work())>>();
  const Milliseconds give_up = Milliseconds(2 * options_.timeout_ms) + kHangSlack;
  const auto back =
      run_bounded([result, work = std::move(work)]() mutable { result->emplace(work()); }, give_up);
  if (!back.ok()) return back.error();
  if (*back) return std::move(**result);
  abandoned_ = true;
  return Error(Code::timeout, fmt::format("{}: {}", what, stuck_text(*journal_)));
}

SideResult PerfRun::run() {
  if (const Status good = check_options(options_); !good.ok()) {
    note(good.error().message());
    return {RunStatus::bad_options, "", "", "", false};
  }
  SideResult out = report(go());
  release();
  out.threads_abandoned = abandoned_;
  return out;
}

Status PerfRun::go() {
  std::vector<int> cpus;
  if (!options_.cpus.empty()) {
    HAWSER_ASSIGN(cpus, parse_cpus(options_.cpus));
  }
  HAWSER_ASSIGN(const ScopedAffinity pinned, ScopedAffinity::pin(cpus));
  HAWSER_TRY(open());
  HAWSER_ASSIGN(measurement_, meet(options_, output_, environment_));
  const Status measured = measure();
  if (!measured.ok()) measurement_->give_up(measured.error().message());
  return measured;
}

Status PerfRun::open() {
  using Opened = Result<std::shared_ptr<const Environment>>;
  HAWSER_ASSIGN(environment_,
                bounded("opening the transport",
                        [choice = choice_of(options_), journal = journal_]() -> Opened {
                          HAWSER_ASSIGN(Environment opened, open_environment(choice, journal));
                          return std::make_shared<const Environment>(std::move(opened));
                        }));
  if (options_.channels == 0) options_.channels = default_channels(options_, *environment_);
  if (options_.bare_sockets < 0)
    options_.bare_sockets = std::min(options_.channels * environment_->net_device().sockets,
                                     static_cast<int>(wire::kMaxBareSockets));
  return {};
}

Status PerfRun::measure() {
  HAWSER_TRY(bounded("opening the channels", [it = measurement_] { return it->open(); }));
  describe();
  HAWSER_TRY(options_.role == Role::server ? serve() : survey());
  return measurement_->part();
}

Status PerfRun::serve() {
  note(fmt::format("measuring a {} with {}", over_name(measurement_->terms().over),
                   measurement_->peer_host()));
  while (true) {
    HAWSER_ASSIGN(const wire::PerfStep step, measurement_->next_step());
    if (step.kind == wire::PerfKind::end) return {};
    const auto done =
        bounded("a step", [it = measurement_, step] { return it->run(step, nullptr); });
    if (!done.ok()) return done.error();
  }
}

Status PerfRun::survey() {
  const Survey::RunStep run_step = [this](const wire::PerfStep& step, LatencyHistogram* latency) {
    const auto taken = std::make_shared<LatencyHistogram>();
    auto done = bounded("a step", [it = measurement_, step, taken]() -> Result<StepReport> {
      HAWSER_TRY(it->announce(step));
      return it->run(step, taken.get());
    });
    if (done.ok() && latency != nullptr) latency->merge(*taken);
    return done;
  };
  HAWSER_TRY(Survey(options_, run_step, output_.progress).run(outcome_));
  return measurement_->announce({1, wire::PerfKind::end, false, 1, 0, 1});
}

void PerfRun::describe() {
  const Transport& transport = environment_->transport;
  const MeasurementTerms& terms = measurement_->terms();
  const bool client = options_.role == Role::client;
  outcome_.over = over_name(terms.over);
  outcome_.transport = transport.net->name();
  outcome_.transport_description =
      fmt::format("{} ({})", transport.net->description(), transport.why);
  outcome_.client_host = client ? measurement_->own_host() : measurement_->peer_host();
  outcome_.server_host = client ? measurement_->peer_host() : measurement_->own_host();
  outcome_.channels = static_cast<int>(terms.plan.channels);
  outcome_.window = static_cast<int>(terms.setup.window);
  outcome_.chunk_bytes = terms.plan.chunk_bytes;
  outcome_.ring_bytes = terms.setup.ring_bytes;
  outcome_.bidirectional = options_.bidirectional;
  outcome_.repeats = options_.repeats;
  outcome_.duration_ms = options_.duration_ms;
  outcome_.idle = idle_name(options_.idle);
  outcome_.bare_sockets = static_cast<int>(terms.setup.bare_sockets);
  outcome_.bare_congestion = measurement_->bare_congestion();
}

// In a thread of its own: a plugin may hang when it is closed, too.
void PerfRun::release() {
  if (abandoned_) return;
  const auto closed = bounded("closing the transport",
                              [measurement = std::exchange(measurement_, nullptr),
                               environment = std::exchange(environment_, nullptr)]() mutable {
                                if (measurement) measurement->close();
                                measurement.reset();
                                environment.reset();
                                return Status();
                              });
  if (!closed.ok()) note(closed.error().message());
}

SideResult PerfRun::report(const Status& ran) {
  if (!ran.ok()) {
    outcome_.error = ran.error().message();
    note("error: " + outcome_.error);
  }
  const bool begun = !outcome_.transport.empty();
  const RunStatus failed = begun ? RunStatus::failed : RunStatus::could_not_run;
  const RunStatus status = ran.ok() ? RunStatus::passed : failed;
  if (!begun || options_.role == Role::server) return {status, "", "", "", false};
  return {status, table_of(outcome_), json_of(outcome_), csv_of(outcome_), false};
}

}  // namespace

SideResult perf(const PerfOptions& options, const SideOutput& output) {
  return PerfRun(options, output).run();
}

}  // namespace hawser
