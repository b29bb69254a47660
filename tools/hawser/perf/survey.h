// The client's part: which steps, in which order, and what they add up to.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "perf/measurement.h"
#include "perf/outcome.h"

namespace hawser {

// Goes through sizes and kinds of traffic. Transport and bare sockets take turns, repeat by
// repeat, so that whatever else the machine does meets both. Not thread-safe.
class Survey {
 public:
  // Runs a step on both sides; bounded.
  using RunStep =
      std::function<Result<StepReport>(const wire::PerfStep&, LatencyHistogram* round_trip_ns)>;
  using Progress = std::function<void(std::string_view)>;

  Survey(const PerfOptions& options, RunStep run, Progress progress)
      : options_(options), run_(std::move(run)), progress_(std::move(progress)) {}

  // Points are added as they are finished; an error leaves those that are.
  Status run(PerfOutcome& outcome);

 private:
  // One of the two that take turns.
  struct Turn {
    wire::PerfStep step;
    Series series;
  };

  Result<PerfPoint> point(Traffic traffic, std::uint64_t bytes);
  // The transport's, then those of each way of driving bare sockets.
  Result<std::vector<Turn>> turns(Traffic traffic, std::uint64_t bytes);
  Result<Turn> begin(wire::PerfKind kind, std::uint64_t bytes);
  Status repeat(Turn& turn);
  Result<StepReport> step(wire::PerfStep& step, LatencyHistogram* round_trip_ns);
  std::uint64_t messages_per_step_message(wire::PerfKind kind) const;
  void tell(const PerfPoint& point, int repeat) const;

  const PerfOptions& options_;
  const RunStep run_;
  const Progress progress_;
  std::uint32_t last_id_ = 0;
  int points_ = 0;
  int points_done_ = 0;
};

}  // namespace hawser
