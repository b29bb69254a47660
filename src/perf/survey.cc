#include "perf/survey.h"

#include <fmt/core.h>

#include "perf/sizes.h"
#include "perf/steps.h"

namespace hawser {
namespace {

wire::PerfKind kind_of(Traffic traffic, bool bare) {
  if (traffic == Traffic::stream)
    return bare ? wire::PerfKind::bare_stream : wire::PerfKind::stream;
  return bare ? wire::PerfKind::bare_ping_pong : wire::PerfKind::ping_pong;
}

std::vector<Traffic> traffics(PerfMode mode) {
  if (mode == PerfMode::stream) return {Traffic::stream};
  if (mode == PerfMode::ping_pong) return {Traffic::ping_pong};
  return {Traffic::stream, Traffic::ping_pong};
}

std::string so_far(Traffic traffic, const Series& series) {
  if (traffic == Traffic::stream)
    return fmt::format("{:.3f} GB/s", gigabytes_per_second(series).median);
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
  HAWSER_ASSIGN(Turn transport, begin(traffic, bytes, false));
  std::optional<Turn> bare;
  if (options_.bare_sockets > 0) {
    HAWSER_ASSIGN(bare, begin(traffic, bytes, true));
  }
  PerfPoint point{traffic, bytes, {}, std::nullopt};
  for (int repeat_index = 0; repeat_index < options_.repeats; ++repeat_index) {
    HAWSER_TRY(repeat(transport));
    if (bare) HAWSER_TRY(repeat(*bare));
    point.transport = transport.series;
    if (bare) point.bare = bare->series;
    tell(point, repeat_index + 1);
  }
  return point;
}

Result<Survey::Turn> Survey::begin(Traffic traffic, std::uint64_t bytes, bool bare) {
  Turn turn;
  turn.step.kind = kind_of(traffic, bare);
  turn.step.bytes = bytes;
  turn.step.bidirectional = options_.bidirectional && traffic == Traffic::stream;
  Calibration calibration(bytes, std::uint64_t{1'000'000} * options_.duration_ms,
                          options_.bytes_limit);
  while (!calibration.settled()) {
    turn.step.messages = calibration.messages();
    HAWSER_ASSIGN(const StepReport report, step(turn.step, nullptr));
    calibration.took(report.own.elapsed_ns);
  }
  turn.step.messages = calibration.messages();
  turn.series.messages_moved = turn.step.messages * messages_per_step_message(traffic, bare);
  turn.series.bytes_moved = turn.series.messages_moved * bytes;
  return turn;
}

// A step's messages are counted per channel, or per bare socket; a round trip is two.
std::uint64_t Survey::messages_per_step_message(Traffic traffic, bool bare) const {
  if (traffic == Traffic::ping_pong) return 2;
  const int ways = options_.bidirectional ? 2 : 1;
  return static_cast<std::uint64_t>(ways) *
         static_cast<std::uint64_t>(bare ? options_.bare_sockets : options_.channels);
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
