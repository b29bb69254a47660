// micro_benchmarks: Google Benchmark's command line; what matters of the machine stands in the
// report's context.
#include <benchmark/benchmark.h>

#include "perf/host.h"

int main(int argc, char** argv) {
  benchmark::AddCustomContext("tcp_congestion_control", hawser::default_congestion_control());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
