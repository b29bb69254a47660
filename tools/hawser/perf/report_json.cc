#include <nlohmann/json.hpp>

#include <hawser/version.h>

#include "perf/report.h"

namespace hawser {
namespace {

using nlohmann::json;

json spread_json(const Spread& spread) {
  return {{"median", spread.median}, {"min", spread.min}, {"max", spread.max}};
}

json latency_json(const LatencyHistogram& round_trips) {
  const auto half_us = [](std::uint64_t ns) { return static_cast<double>(ns) / 2000; };
  return {{"count", round_trips.count()},
          {"min", half_us(round_trips.min())},
          {"p50", half_us(round_trips.quantile(0.5))},
          {"p99", half_us(round_trips.quantile(0.99))},
          {"p99.9", half_us(round_trips.quantile(0.999))},
          {"max", half_us(round_trips.max())}};
}

json samples_json(const Series& series) {
  json samples = json::array();
  for (const Sample& sample : series.samples)
    samples.push_back({{"elapsed_ns", sample.elapsed_ns},
                       {"client_cpu_ns", sample.client_cpu_ns},
                       {"server_cpu_ns", sample.server_cpu_ns}});
  return samples;
}

json series_json(const Series& series) {
  json object{{"bytes_per_repeat", series.bytes_moved},
              {"messages_per_repeat", series.messages_moved},
              {"gb_per_s", spread_json(gigabytes_per_second(series))},
              {"messages_per_s", spread_json(messages_per_second(series))},
              {"client_cpu_s_per_gb", spread_json(client_cpu_per_gigabyte(series))},
              {"server_cpu_s_per_gb", spread_json(server_cpu_per_gigabyte(series))},
              {"repeats", samples_json(series)}};
  if (!series.how.empty()) object["calls"] = series.how;
  if (series.round_trip_ns.count() > 0) object["half_rtt_us"] = latency_json(series.round_trip_ns);
  return object;
}

json point_json(const PerfPoint& point) {
  json object{{"traffic", traffic_name(point.traffic)},
              {"message_bytes", point.bytes},
              {"transport", series_json(point.transport)}};
  if (!point.bare) return object;
  object["bare"] = series_json(*point.bare);
  const auto put = [&](const char* name, const std::optional<double>& ratio) {
    if (ratio) object[name] = *ratio;
  };
  put("bandwidth_ratio", bandwidth_ratio(point));
  put("cpu_ratio", cpu_ratio(point));
  put("latency_ratio", latency_ratio(point));
  return object;
}

}  // namespace

std::string json_of(const PerfOutcome& outcome) {
  json points = json::array();
  for (const PerfPoint& point : outcome.points) points.push_back(point_json(point));
  json object{{"hawser", version()},
              {"over", outcome.over},
              {"transport", outcome.transport},
              {"transport_description", outcome.transport_description},
              {"server", outcome.server_host},
              {"client", outcome.client_host},
              {"channels", outcome.channels},
              {"window", outcome.window},
              {"chunk_bytes", outcome.chunk_bytes},
              {"ring_bytes", outcome.ring_bytes},
              {"bidirectional", outcome.bidirectional},
              {"repeats", outcome.repeats},
              {"duration_ms", outcome.duration_ms},
              {"idle", outcome.idle},
              {"bare_sockets", outcome.bare_sockets},
              {"bare_congestion", outcome.bare_congestion},
              {"points", points}};
  if (!outcome.error.empty()) object["error"] = outcome.error;
  // Texts of the peer may hold bytes that are not UTF-8: they are replaced, never thrown about.
  return object.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace hawser
