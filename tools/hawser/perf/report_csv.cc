#include <fmt/core.h>

#include "perf/report.h"

namespace hawser {
namespace {

constexpr const char* kColumns =
    "traffic,message_bytes,source,repeats,gb_per_s,gb_per_s_min,gb_per_s_max,messages_per_s,"
    "half_rtt_p50_us,half_rtt_p99_us,half_rtt_p999_us,half_rtt_max_us,"
    "client_cpu_s_per_gb,server_cpu_s_per_gb,over\n";

// Empty where there are none.
std::string latencies(const LatencyHistogram& round_trips) {
  if (round_trips.count() == 0) return ",,,";
  std::string text;
  for (const double share : {0.5, 0.99, 0.999, 1.0})
    text += fmt::format("{}{:.4f}", text.empty() ? "" : ",",
                        static_cast<double>(round_trips.quantile(share)) / 2000);
  return text;
}

std::string line(const PerfPoint& point, const char* source, const Series& series,
                 const std::string& over) {
  const Spread speed = gigabytes_per_second(series);
  return fmt::format("{},{},{},{},{:.6f},{:.6f},{:.6f},{:.1f},{},{:.6f},{:.6f},{}\n",
                     traffic_name(point.traffic), point.bytes, source, series.samples.size(),
                     speed.median, speed.min, speed.max, messages_per_second(series).median,
                     latencies(series.round_trip_ns), client_cpu_per_gigabyte(series).median,
                     server_cpu_per_gigabyte(series).median, over);
}

}  // namespace

std::string csv_of(const PerfOutcome& outcome) {
  std::string text = kColumns;
  for (const PerfPoint& point : outcome.points) {
    text += line(point, "transport", point.transport, outcome.over);
    if (point.bare) text += line(point, "bare", *point.bare, outcome.over);
  }
  return text;
}

}  // namespace hawser
