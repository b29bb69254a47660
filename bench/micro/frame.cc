// Encoding and decoding the header that precedes every message.
#include <benchmark/benchmark.h>

#include "micro/sample_frame.h"

namespace hawser::bench {
namespace {

void frame_encode(benchmark::State& state) {
  std::uint64_t bytes = 0;
  for (auto _ : state) benchmark::DoNotOptimize(encode(sample_frame(++bytes)));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(frame_encode);

void frame_decode(benchmark::State& state) {
  auto encoded = encode(sample_frame(4096));
  for (auto _ : state) {
    benchmark::DoNotOptimize(encoded);  // may be another one each time
    if (decoded_bytes(encoded) != 4096) state.SkipWithError("a good frame was refused");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(frame_decode);

}  // namespace
}  // namespace hawser::bench
