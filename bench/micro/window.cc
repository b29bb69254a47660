// The sliding window of a channel: one request's way through it.
#include "base/sliding_window.h"

#include <benchmark/benchmark.h>

#include <cstdint>

namespace hawser::bench {
namespace {

// Of about an entry's size in a pipeline.
struct Entry {
  void* request = nullptr;
  std::size_t offset = 0;
  std::size_t bytes = 0;
};

// A window that is kept as full as it gets: the oldest leaves, a new one comes.
void window_push_pop(benchmark::State& state) {
  SlidingWindow<Entry> window(static_cast<std::size_t>(state.range(0)));
  while (!window.full()) window.push() = {};
  std::size_t offset = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(window.oldest());
    window.pop();
    window.push() = {nullptr, ++offset, 1};
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(window_push_pop)->Arg(8)->Arg(32);

// A stage that looks at every entry in flight, as progress() does.
void window_visit_all(benchmark::State& state) {
  SlidingWindow<Entry> window(static_cast<std::size_t>(state.range(0)));
  while (!window.full()) window.push() = {nullptr, window.size(), 1};
  for (auto _ : state) {
    std::size_t sum = 0;
    for (std::size_t at = window.begin(); at != window.end(); ++at) sum += window.at(at).offset;
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(window_visit_all)->Arg(8)->Arg(32);

}  // namespace
}  // namespace hawser::bench
