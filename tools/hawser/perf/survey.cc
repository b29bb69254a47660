#include "perf/survey.h"

#include <fmt/core.h>

#include "perf/sizes.h"
#include "perf/steps.h"

namespace hawser {
namespace {

// The transport's kind, then the bare sockets' kinds.
std::vector<wire::PerfKind> kinds_of(Traffic traffic) {
  using wire::PerfKind;
  if (traffic == Traffic::stream)
    return {PerfKind::stream, PerfKind::bare_stream, PerfKind::bare_stream_polling};
  return {PerfKind::ping_pong, PerfKind::bare_ping_pong};
}

std::vector<Traffic> traffics(PerfMode mode) {
  if (mode == PerfMode::stream) return {Traffic::stream};
  if (mode == PerfMode::ping_pong) return {Traffic::ping_pong};
  return {Traffic::stream, Traffic::ping_pong};
}

double speed(const Series& series) {
  return gigabytes_per_second(series).median;
}

std::string so_far(Traffic traffic, const Series& series) {
  if (traffic == Traffic::stream) return fmt::format("{:.3f} GB/s", speed(series));
  return fmt::format("{:.2f} us", static_cast<double>(series.round_trip_ns.quantile(0.5)) / 2000);
}

}  // namespace

Status Survey::run(PerfOutcome& outcome) {
  const auto kinds = traffics(options_.mode);
  points_ = static_cast<int>(kinds.size() * options_.sizes.size());
  for (const Traffic traffic : kinds)
    for (const std::uint64_t bytes : options_.sizes) {
      auto done = point(traffic, bytes);
      if (!done.ok())
        return done.error().within(fmt::format(
            "{} of {}", traffic == Traffic::stream ? "stream" : "ping-pong", size_text(bytes)));
      outcome.points.push_back(std::move(*done));
      ++points_done_;
    }
  return {};
}

Result<PerfPoint> Survey::point(Traffic traffic, std::uint64_t bytes) {
  HAWSER_ASSIGN(std::vector<Turn> all, turns(traffic, bytes));
  PerfPoint point{traffic, bytes, {}, std::nullopt};
  for (int index = 0; index < options_.repeats; ++index) {
    for (Turn& turn : all) HAWSER_TRY(repeat(turn));
    point.transport = all.front().series;
    point.bare.reset();
    for (std::size_t i = 1; i < all.size(); ++i)
      if (!point.bare || speed(all[i].series) > speed(*point.bare)) point.bare = all[i].series;
    tell(point, index + 1);
  }
  return point;
}

Result<std::vector<Survey::Turn>> Survey::turns(Traffic traffic, std::uint64_t bytes) {
  std::vector<Turn> all;
  for (const wire::PerfKind kind : kinds_of(traffic)) {
    if (!all.empty() && options_.bare_sockets == 0) break;
    HAWSER_ASSIGN(Turn turn, begin(kind, bytes));
    all.push_back(std::move(turn));
  }
  return all;
}

Result<Survey::Turn> Survey::begin(wire::PerfKind kind, std::uint64_t bytes) {
  Turn turn;
  turn.step.kind = kind;
  turn.step.bytes = bytes;
  turn.step.bidirectional = options_.bidirectional && !is_ping_pong(kind);
  Calibration calibration(bytes, std::uint64_t{1'000'000} * options_.duration_ms,
                          options_.bytes_limit);
  while (!calibration.settled()) {
    turn.step.messages = calibration.messages();
    HAWSER_ASSIGN(const StepReport report, step(turn.step, nullptr));
    calibration.took(report.own.elapsed_ns);
  }
  turn.step.messages = calibration.messages();
  turn.series.messages_moved = turn.step.messages * messages_per_step_message(kind);
  turn.series.bytes_moved = turn.series.messages_moved * bytes;
  turn.series.how = kind == wire::PerfKind::bare_stream ? "blocking" : "polling";
  return turn;
}

// A step's messages are counted per channel, or per bare socket; a round trip is two.
std::uint64_t Survey::messages_per_step_message(wire::PerfKind kind) const {
  if (is_ping_pong(kind)) return 2;
  const int ways = kind == wire::PerfKind::stream ? options_.channels : options_.bare_sockets;
  return static_cast<std::uint64_t>(options_.bidirectional ? 2 * ways : ways);
}

Status Survey::repeat(Turn& turn) {
  HAWSER_ASSIGN(const StepReport report, step(turn.step, &turn.series.round_trip_ns));
  turn.series.samples.push_back({report.own.elapsed_ns, report.own.cpu_ns, report.peer.cpu_ns});
  return {};
}

Result<StepReport> Survey::step(wire::PerfStep& step, LatencyHistogram* round_trip_ns) {
  step.id = ++last_id_;
  step.warmup = warmup_of(step.messages);
  return run_(step, round_trip_ns);
}

void Survey::tell(const PerfPoint& point, int repeat) const {
  if (!progress_) return;
  std::string line =
      fmt::format("{}/{} {} {}, repeat {}/{}: {}", points_done_ + 1, points_,
                  point.traffic == Traffic::stream ? "stream" : "ping-pong", size_text(point.bytes),
                  repeat, options_.repeats, so_far(point.traffic, point.transport));
  if (point.bare) line += fmt::format(", bare {}", so_far(point.traffic, *point.bare));
  progress_(line);
}

}  // namespace hawser
