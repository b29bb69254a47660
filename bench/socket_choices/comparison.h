// What was measured of one variant at one size, beside the baseline.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "perf/outcome.h"
#include "socket_choices/variant.h"

namespace hawser::bench {

// One sample.
struct Timing {
  std::uint64_t bytes = 0;  // one way
  std::uint64_t elapsed_ns = 0;
  std::uint64_t cpu_ns = 0;       // of both processes
  std::uint64_t half_rtt_ns = 0;  // the median, of ping-pong only
};

// A sample of each, one right after the other; who comes first takes turns.
struct Pair {
  Timing baseline;
  Timing variant;
};

enum class State { measured, refused, not_built };
const char* state_name(State state);

// A value.
struct Comparison {
  Variant variant;
  std::size_t message_bytes = 0;
  State state = State::measured;
  std::string reason;  // where not measured
  std::string note;    // of the sending side, then of the receiving one where it says another thing
  std::vector<Pair> pairs;

  // GB/s of a stream, microseconds of a ping-pong.
  std::vector<double> variant_figures() const;
  std::vector<double> baseline_figures() const;
  // Each variant's over its own baseline's.
  std::vector<double> ratios() const;
  std::vector<double> cpu_ratios() const;  // CPU time per byte, both processes
};

}  // namespace hawser::bench
