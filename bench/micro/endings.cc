// What it costs to end one of many transfers early: the same, however many there are.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/operations/operations.h"

namespace hawser::bench {
namespace {

using engine::LocalRegion;
using engine::Operations;

class Many {
 public:
  explicit Many(std::size_t count) : memory_(count) {
    for (std::size_t i = 0; i < 2; ++i)
      regions_.push_back(std::make_shared<LocalRegion>(
          engine::wire::Key{}, MemoryRange{memory_.data(), memory_.size()}, Rights::none, nullptr));
  }
  engine::Request one(std::size_t region = 0) const {
    engine::Request request;
    request.region = engine::RegionUse::begin(regions_[region], LocalRegion::User::owner);
    const Block block{0, 0, 1};
    request.blocks = *engine::BlockList::create(std::span(&block, 1), 1, 1);
    request.timeout_ms = 600'000;
    return request;
  }
  Operations& operations() { return operations_; }
  const LocalRegion& region(std::size_t index) const { return *regions_[index]; }

 private:
  std::vector<std::byte> memory_;
  std::vector<std::shared_ptr<LocalRegion>> regions_;
  engine::RegionTable table_;
  engine::EventBell bell_;
  const wire::Room room_{1 << 20, 1 << 20, 1 << 20};
  Operations operations_{table_, bell_, [](std::uint64_t) {}, Milliseconds(500), room_, room_};
};

// `begin` asks for one; all of them are stopped, the newest first.
template <class Begin>
void end_all(benchmark::State& state, Begin begin) {
  const auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    auto many = std::make_unique<Many>(count);
    std::vector<Operations::State> transfers;
    for (std::size_t i = 0; i < count; ++i) transfers.push_back(begin(*many));
    state.ResumeTiming();
    for (std::size_t op = count; op > 0; --op)
      many->operations().stop(op, Error(Code::cancelled, "stopped"));
    state.PauseTiming();
    for (const auto& transfer : transfers)
      if (!transfer->done()) state.SkipWithError("a transfer has not ended");
    many.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void endings_of_writes(benchmark::State& state) {
  end_all(state, [](Many& many) { return many.operations().write({}, many.one(), {}, ""); });
}
BENCHMARK(endings_of_writes)->Arg(600)->Arg(6'000)->Arg(60'000);

void endings_of_receives(benchmark::State& state) {
  end_all(state, [](Many& many) { return many.operations().receive({}, 1, many.one()); });
}
BENCHMARK(endings_of_receives)->Arg(600)->Arg(6'000)->Arg(60'000);

}  // namespace
}  // namespace hawser::bench
