// The pattern that verified bytes have: writing it, and comparing with it.
#include "memory/pattern.h"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <vector>

namespace hawser::bench {
namespace {

constexpr PatternKey kKey{42, 1, 3};

void pattern_write(benchmark::State& state) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    fill_pattern(kKey, 0, bytes);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(pattern_write)->Arg(4 << 10)->Arg(1 << 20)->Arg(16 << 20);

void pattern_check(benchmark::State& state) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(state.range(0)));
  fill_pattern(kKey, 0, bytes);
  for (auto _ : state) {
    const auto mismatch = find_mismatch(kKey, 0, bytes);
    if (mismatch) state.SkipWithError("the pattern does not match itself");
    benchmark::DoNotOptimize(mismatch);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(pattern_check)->Arg(4 << 10)->Arg(1 << 20)->Arg(16 << 20);

}  // namespace
}  // namespace hawser::bench
