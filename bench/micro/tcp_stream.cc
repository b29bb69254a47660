// A stream of messages through the built-in transport, as many in flight as it takes, both ends in
// one thread. Of small ones it tells the cost of a message, and of coalescing them.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "base/sliding_window.h"
#include "micro/tcp_pair.h"
#include "base/sliding_window.h"

namespace hawser::bench {
namespace {

// Feeds a pair with messages and takes them out again; oldest first, as channels do. Each request
// in flight has a slot of the buffers that is only its own.
class Streamer {
 public:
  Streamer(TcpPair& pair, std::size_t window, std::size_t bytes)
      : pair_(pair), bytes_(bytes), sends_(window), receives_(window) {}

  // Until `messages` more have arrived.
  Status run(std::size_t messages) {
    const std::size_t end = arrived_ + messages;
    for (Patience patience; arrived_ < end;) {
      const std::size_t before = arrived_;
      HAWSER_TRY(post(receives_, end, &TcpPair::post_receive));
      HAWSER_TRY(post(sends_, end, &TcpPair::post_send));
      HAWSER_TRY(take(sends_, &TcpPair::sent));
      HAWSER_TRY(take(receives_, &TcpPair::received));
      arrived_ = receives_.begin();
      if (arrived_ == before) HAWSER_TRY(patience.after_idle_poll());
    }
    return drain();
  }

 private:
  using Window = SlidingWindow<Request*>;
  using Post = Result<Request*> (TcpPair::*)(std::size_t offset, std::size_t bytes);
  using Test = Result<bool> (TcpPair::*)(Request* request);

  Status post(Window& window, std::size_t end, Post post_one) {
    while (!window.full() && window.end() < end) {
      const std::size_t offset = window.end() % window.capacity() * bytes_;
      HAWSER_ASSIGN(Request* const request, (pair_.*post_one)(offset, bytes_));
      if (request == nullptr) break;
      window.push() = request;
    }
    return {};
  }

  Status take(Window& window, Test test_one) {
    while (!window.empty()) {
      HAWSER_ASSIGN(const bool done, (pair_.*test_one)(window.oldest()));
      if (!done) break;
      window.pop();
    }
    return {};
  }

  // Everything has arrived, but the sender may not have asked yet.
  Status drain() {
    for (Patience patience; !sends_.empty();) {
      HAWSER_TRY(take(sends_, &TcpPair::sent));
      HAWSER_TRY(patience.after_idle_poll());
    }
    return {};
  }

  TcpPair& pair_;
  std::size_t bytes_;
  Window sends_;
  Window receives_;
  std::size_t arrived_ = 0;
};

constexpr std::size_t kMostInFlight = 32;
constexpr std::size_t kBatch = 256;                        // messages per iteration
constexpr std::size_t kBatchBytes = std::size_t{8} << 20;  // but no more than so many bytes

void tcp_stream(benchmark::State& state) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  const std::size_t batch = std::clamp<std::size_t>(kBatchBytes / bytes, 1, kBatch);
  auto net = make_loopback_net();
  if (!net.ok()) return state.SkipWithError(net.error().message().c_str());
  const auto limit = static_cast<std::size_t>((*net)->devices()[0].capabilities.max_requests);
  const std::size_t window = std::min(limit, kMostInFlight);
  auto pair = TcpPair::make(**net, window * bytes);
  if (!pair.ok()) return state.SkipWithError(pair.error().message().c_str());
  Streamer streamer(**pair, window, bytes);
  for (auto _ : state)
    if (const Status ran = streamer.run(batch); !ran.ok())
      return state.SkipWithError(ran.error().message().c_str());
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(batch * bytes));
}
BENCHMARK(tcp_stream)->Arg(8)->Arg(256)->Arg(4 << 10)->Arg(64 << 10)->Arg(1 << 20);

}  // namespace
}  // namespace hawser::bench
