// A message there and one back through the built-in transport, both ends in one thread: what the
// code and the system calls cost, without a second core's wake-up.
#include <benchmark/benchmark.h>

#include "micro/tcp_pair.h"

namespace hawser::bench {
namespace {

struct RoundTrip {
  std::unique_ptr<Net> net;
  std::unique_ptr<TcpPair> there;
  std::unique_ptr<TcpPair> back;
};

Result<RoundTrip> make_round_trip(std::size_t bytes) {
  RoundTrip trip;
  HAWSER_ASSIGN(trip.net, make_loopback_net());
  HAWSER_ASSIGN(trip.there, TcpPair::make(*trip.net, bytes));
  HAWSER_ASSIGN(trip.back, TcpPair::make(*trip.net, bytes));
  return trip;
}

void tcp_round_trip(benchmark::State& state) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  auto trip = make_round_trip(bytes);
  if (!trip.ok()) return state.SkipWithError(trip.error().message().c_str());
  for (auto _ : state) {
    Status moved = trip->there->move_one(bytes);
    if (moved.ok()) moved = trip->back->move_one(bytes);
    if (!moved.ok()) return state.SkipWithError(moved.error().message().c_str());
  }
  state.SetItemsProcessed(2 * state.iterations());
}
BENCHMARK(tcp_round_trip)->Arg(8)->Arg(4 << 10)->Arg(64 << 10);

}  // namespace
}  // namespace hawser::bench
