// Measures each variant in turn with its baseline.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "socket_choices/comparison.h"
#include "socket_choices/control.h"
#include "socket_choices/link.h"

namespace hawser::bench {

struct Plan {
  std::vector<Variant> variants;  // the two baselines are its last entries: add_baselines()
  std::vector<std::uint64_t> stream_sizes;
  int repeats = 5;
  int duration_ms = 100;  // of one sample, about
  Milliseconds timeout{20'000};
};

inline constexpr std::uint64_t kPingPongBytes = 8;

// Puts the baselines where the plan wants them.
void add_baselines(std::vector<Variant>& variants, const std::string& congestion);

struct Findings {
  std::vector<Comparison> comparisons;  // in the order of the table, sizes ascending as given
  std::string error;                    // why it ended early; empty: it did not
};

// Called before each sample's pair; may be empty.
using Progress = std::function<void(const std::string& what)>;

// Drives the receiving process through `control`. Of one thread.
Findings survey(const Plan& plan, Control& control, const Progress& progress);

}  // namespace hawser::bench
