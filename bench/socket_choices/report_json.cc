#include <nlohmann/json.hpp>

#include "perf/report.h"
#include "socket_choices/report.h"

namespace hawser::bench {
namespace {

using nlohmann::json;

json figures_json(const std::vector<double>& values) {
  const Spread spread = spread_of(values);
  return {{"median", spread.median}, {"min", spread.min}, {"max", spread.max}, {"samples", values}};
}

json comparison_json(const Comparison& comparison) {
  const bool stream = comparison.variant.traffic == Traffic::stream;
  json object{{"variant", comparison.variant.name},
              {"group", comparison.variant.group},
              {"traffic", traffic_name(comparison.variant.traffic)},
              {"message_bytes", comparison.message_bytes},
              {"state", state_name(comparison.state)}};
  if (!comparison.reason.empty()) object["reason"] = comparison.reason;
  if (!comparison.note.empty()) object["note"] = comparison.note;
  if (comparison.pairs.empty()) return object;
  const char* const unit = stream ? "gb_per_s" : "half_rtt_us";
  object[unit] = figures_json(comparison.variant_figures());
  object[std::string("baseline_") + unit] = figures_json(comparison.baseline_figures());
  object["ratio"] = figures_json(comparison.ratios());
  object["cpu_ratio"] = figures_json(comparison.cpu_ratios());
  return object;
}

}  // namespace

std::string json_of(const Plan& plan, const Circumstances& circumstances,
                    const Findings& findings) {
  json comparisons = json::array();
  for (const Comparison& comparison : findings.comparisons)
    comparisons.push_back(comparison_json(comparison));
  json object{{"machine", circumstances.machine},
              {"sender_cpu", circumstances.sender_cpu},
              {"receiver_cpu", circumstances.receiver_cpu},
              {"congestion", circumstances.congestion},
              {"repeats", plan.repeats},
              {"duration_ms", plan.duration_ms},
              {"comparisons", comparisons}};
  if (!findings.error.empty()) object["error"] = findings.error;
  return object.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace hawser::bench
