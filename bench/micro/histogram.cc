// What it costs to note one latency, and to ask for a percentile afterwards.
#include "perf/histogram.h"

#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <memory>
#include <random>

namespace hawser::bench {
namespace {

// Latencies as they come: most near the median, some far above. The same in every run.
std::array<std::uint64_t, 4096> typical_latencies_ns() {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> shape(8.7, 0.5);
  std::array<std::uint64_t, 4096> values{};
  for (auto& value : values) value = static_cast<std::uint64_t>(shape(random));
  return values;
}

void histogram_record(benchmark::State& state) {
  const auto values = typical_latencies_ns();
  const auto histogram = std::make_unique<LatencyHistogram>();
  std::size_t i = 0;
  for (auto _ : state) histogram->record(values[i++ % values.size()]);
  benchmark::DoNotOptimize(histogram->count());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(histogram_record);

void histogram_quantile(benchmark::State& state) {
  const auto histogram = std::make_unique<LatencyHistogram>();
  for (const std::uint64_t value : typical_latencies_ns()) histogram->record(value);
  for (auto _ : state) benchmark::DoNotOptimize(histogram->quantile(0.99));
}
BENCHMARK(histogram_quantile);

}  // namespace
}  // namespace hawser::bench
