#include "perf/outcome.h"

#include <algorithm>

namespace hawser {
namespace {

template <class Value>
Spread over_samples(const Series& series, Value&& value) {
  std::vector<double> values;
  for (const Sample& sample : series.samples)
    if (sample.elapsed_ns > 0) values.push_back(value(sample));
  return spread_of(std::move(values));
}

// Nanoseconds of CPU per byte are seconds per 10^9 bytes.
double per_byte(std::uint64_t ns, const Series& series) {
  return series.bytes_moved == 0
             ? 0
             : static_cast<double>(ns) / static_cast<double>(series.bytes_moved);
}

std::optional<double> ratio(double of, double to) {
  if (to <= 0) return std::nullopt;
  return of / to;
}

double cpu_per_gigabyte(const Series& series) {
  return client_cpu_per_gigabyte(series).median + server_cpu_per_gigabyte(series).median;
}

}  // namespace

Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

Spread gigabytes_per_second(const Series& series) {
  return over_samples(series, [&](const Sample& sample) {
    return static_cast<double>(series.bytes_moved) / static_cast<double>(sample.elapsed_ns);
  });
}

Spread messages_per_second(const Series& series) {
  return over_samples(series, [&](const Sample& sample) {
    return 1e9 * static_cast<double>(series.messages_moved) /
           static_cast<double>(sample.elapsed_ns);
  });
}

Spread client_cpu_per_gigabyte(const Series& series) {
  return over_samples(series,
                      [&](const Sample& sample) { return per_byte(sample.client_cpu_ns, series); });
}

Spread server_cpu_per_gigabyte(const Series& series) {
  return over_samples(series,
                      [&](const Sample& sample) { return per_byte(sample.server_cpu_ns, series); });
}

std::optional<double> bandwidth_ratio(const PerfPoint& point) {
  if (!point.bare) return std::nullopt;
  return ratio(gigabytes_per_second(point.transport).median,
               gigabytes_per_second(*point.bare).median);
}

std::optional<double> latency_ratio(const PerfPoint& point) {
  if (!point.bare) return std::nullopt;
  return ratio(static_cast<double>(point.transport.round_trip_ns.quantile(0.5)),
               static_cast<double>(point.bare->round_trip_ns.quantile(0.5)));
}

std::optional<double> cpu_ratio(const PerfPoint& point) {
  if (!point.bare) return std::nullopt;
  return ratio(cpu_per_gigabyte(point.transport), cpu_per_gigabyte(*point.bare));
}

}  // namespace hawser
