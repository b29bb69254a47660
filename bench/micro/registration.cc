// Finding the registration that a range lies in, and checking a post against it.
#include "net/tcp/registration.h"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <vector>

#include "memory/registration_cache.h"

namespace hawser::bench {
namespace {

constexpr std::size_t kBlockBytes = 1 << 20;
constexpr RegistrationCache::Scope kScope = 1;

// The cache only compares addresses: nothing is there, and nothing is touched.
MemoryRange block(std::size_t index) {
  return {reinterpret_cast<void*>((index + 1) * 2 * kBlockBytes), kBlockBytes};
}

// A hit among `range(0)` registrations: the range of a message inside a registered block.
void registration_cache_hit(benchmark::State& state) {
  const auto make = [](const MemoryRange& range) -> Result<void*> { return range.data; };
  const auto drop = [](void*) {};
  const auto blocks = static_cast<std::size_t>(state.range(0));
  RegistrationCache cache;
  std::vector<RegistrationCache::Lease> held;
  for (std::size_t i = 0; i < blocks; ++i) {
    auto lease = cache.acquire(kScope, block(i), make, drop);
    if (lease.ok()) held.push_back(*lease);
  }
  std::size_t i = 0;
  for (auto _ : state) {
    const auto lease = cache.acquire(kScope, block(i++ % blocks).slice(4096, 4096), make, drop);
    if (!lease.ok() || cache.size() != blocks) state.SkipWithError("it was no hit");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(registration_cache_hit)->Arg(1)->Arg(64)->Arg(1024);

// What the built-in transport does at each post.
void registration_check_post(benchmark::State& state) {
  std::vector<std::byte> memory(kBlockBytes);
  tcp::RegistrationTable table;
  const auto registration = table.add({memory.data(), memory.size()});
  if (!registration.ok()) return state.SkipWithError("registering failed");
  for (auto _ : state)
    benchmark::DoNotOptimize(tcp::check_post(*registration, memory.data() + 4096, 4096).ok());
  if (!table.remove(*registration).ok()) state.SkipWithError("deregistering failed");
}
BENCHMARK(registration_check_post);

}  // namespace
}  // namespace hawser::bench
