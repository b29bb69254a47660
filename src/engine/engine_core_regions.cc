// An engine's regions: registered, and taken back from all that may touch them.
#include <fmt/core.h>

#include <algorithm>
#include <future>
#include <utility>

#include "engine/engine_core.h"
#include "memory/access.h"

namespace hawser::engine {
namespace {

// For a thread that drives channels to answer; and where one did not, for what waits for it.
constexpr Milliseconds kSilentWorker{100};

}  // namespace

Result<std::shared_ptr<LocalRegion>> EngineCore::register_memory(void* data, std::uint64_t bytes,
                                                                 Rights rights) {
  if (data == nullptr && bytes > 0)
    return Error(Code::invalid_argument, fmt::format("{} bytes at no address", bytes));
  if (reinterpret_cast<std::uintptr_t>(data) + bytes < bytes)
    return Error(Code::invalid_argument,
                 fmt::format("{} bytes from {} on reach beyond all memory", bytes, data));
  MemoryRange range{data, static_cast<std::size_t>(bytes)};
  std::shared_ptr<Gpu> owner;
  bool pinned = false;
  if (driver_ != nullptr && data != nullptr) {
    pinned = is_pinned_pointer(*driver_, data);
    if (const auto ordinal = gpu_of_pointer(*driver_, data)) {
      HAWSER_ASSIGN(owner, gpu(*ordinal));
      range.kind = MemoryKind::cuda;
      range.gpu = *ordinal;
    }
  }
  if (owner == nullptr) {
    const bool writes = (static_cast<unsigned>(rights) & static_cast<unsigned>(Rights::write)) != 0;
    HAWSER_TRY(check_registrable(range, writes ? Access::write : Access::read));
  }
  HAWSER_ASSIGN(const wire::Key key, make_key());
  auto region =
      make_shared_of_one_process<LocalRegion>(key, range, rights, std::move(owner), pinned);
  region->owner = this;
  region->deregister = [engine = weak_from_this(), weak = std::weak_ptr(region)](
                           InFlight in_flight, int timeout_ms) -> Status {
    const auto self = engine.lock();
    const auto it = weak.lock();
    return self && it ? self->deregister(it, in_flight, timeout_ms) : Status();
  };
  regions_.add(region);
  return region;
}

// Refused from now on, then waited for, then forgotten by every channel. Peers are asked first:
// what one has written half would else be cut off.
Status EngineCore::deregister(const std::shared_ptr<LocalRegion>& region, InFlight in_flight,
                              int timeout_ms) {
  const Milliseconds patience(std::max(timeout_ms, 0));
  const Deadline deadline =
      Deadline::after(has_silent_worker() ? std::min(patience, kSilentWorker) : patience);
  if (in_flight == InFlight::wait) drain(*region, deadline);
  region->close();
  regions_.remove(*region);
  if (in_flight == InFlight::fail) end_uses_of(*region, deadline);
  // A peer that did not answer has used up the time; own threads answer at once.
  if (region->wait_unused(deadline) &&
      forget(region,
             deadline.remaining() > kSilentWorker ? deadline : Deadline::after(kSilentWorker)))
    return {};
  look_for_silent_workers();
  return Error(Code::timeout, fmt::format("the region of {} bytes at {} is still in use after {} "
                                          "ms: wait for its transfers, or fail them",
                                          region->range().bytes, region->range().data, timeout_ms));
}

// Those that peers take part in have some time; what has not ended then ends by force, be it at the
// cost of the channel that it is on.
void EngineCore::end_uses_of(LocalRegion& region, const Deadline& deadline) {
  const auto all = links();
  for (const auto& link : all)
    link->operations().stop(region, Error(Code::cancelled, "the region was deregistered"));
  const Deadline ending = Deadline::after(std::min(deadline.remaining(), stall()));
  if (region.wait_unused(ending)) return;
  for (const auto& link : all) link->let_go(link->operations().served_from(region));
}

bool EngineCore::has_silent_worker() const {
  const std::shared_lock running(running_);
  return !shut_ && std::ranges::any_of(workers_, [](const NodeWorkers& node) {
    return std::ranges::any_of(node.workers, [](const auto& worker) { return worker->silent(); });
  });
}

// A plugin's call that hangs in one of them is what regions are still used for, and it will be so
// for the next one, too.
void EngineCore::look_for_silent_workers() {
  const std::shared_lock running(running_);
  if (shut_) return;
  for (const NodeWorkers& node : workers_) {
    for (const auto& worker : node.workers) {
      auto done = std::make_shared<std::promise<void>>();
      auto future = done->get_future();
      worker->run([done](const Worker::Channels&) { done->set_value(); });
      if (future.wait_for(kSilentWorker) != std::future_status::ready) worker->note_silence();
    }
  }
}

void EngineCore::drain(LocalRegion& region, const Deadline& deadline) {
  if (!region.drain() || region.rights() == Rights::none || !region.has_token()) return;
  std::vector<std::future<void>> peers;
  for (const auto& link : links()) {
    auto done = std::make_shared<std::promise<void>>();
    peers.push_back(done->get_future());
    link->operations().drain(region.key(), [done] { done->set_value(); });
  }
  for (const auto& peer : peers) peer.wait_for(deadline.remaining());
}

// Each worker drops what its channels have of it.
bool EngineCore::forget(const std::shared_ptr<LocalRegion>& region, const Deadline& deadline) {
  const std::shared_lock running(running_);
  if (shut_) return true;  // so they do anyway
  Backoff backoff;
  for (const NodeWorkers& node : workers_) {
    for (const auto& worker : node.workers) {
      while (true) {
        auto done = std::make_shared<std::promise<bool>>();
        auto future = done->get_future();
        worker->run([done, region](const Worker::Channels& channels) {
          bool all = true;
          for (const auto& channel : channels) all = channel->forget(*region) && all;
          done->set_value(all);
        });
        if (future.wait_for(deadline.remaining()) != std::future_status::ready) return false;
        if (future.get()) break;
        if (deadline.expired()) return false;
        backoff.idle();
      }
    }
  }
  return true;
}

}  // namespace hawser::engine
