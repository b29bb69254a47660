#include "engine/lane_memory.h"

#include <numeric>

#include "base/log.h"
#include "gpu/gpu.h"

namespace hawser::engine {
namespace {

// Copies that are queued and not seen to be finished: as many as there are slots, and those of
// small chunks that need none.
constexpr int kMaxCopyMarks = 1024;

}  // namespace

void LaneMemory::close() {
  if (comm_ == nullptr) return;
  queues_.clear();  // waits for copies from and to the slots
  const auto drop = [this](Registration* registration) {
    if (const Status dropped = comm_->deregister(registration); !dropped.ok())
      log_info("a registration of a closed channel: {}", dropped.error().message());
  };
  for (const auto& [region, registration] : registrations_) drop(registration);
  for (const Pool& pool : pools_)
    if (pool.registration != nullptr) drop(pool.registration);
  for (Registration* const registration : own_) drop(registration);
  comm_.reset();
}

bool LaneMemory::reaches(const LocalRegion& region) const {
  return region.range().kind == MemoryKind::host ? capabilities_.host_pointers
                                                 : capabilities_.cuda_pointers;
}

Result<Registration*> LaneMemory::registration(LocalRegion& region) {
  if (const auto at = registrations_.find(&region); at != registrations_.end()) return at->second;
  HAWSER_ASSIGN(Registration * made, comm_->register_memory(whole_pages(region.range())));
  registrations_.emplace(&region, made);
  return made;
}

// Plugins that leave receives in a bounce pool register from the start of a page on, which is there
// where any of its bytes are.
MemoryRange LaneMemory::whole_pages(MemoryRange range) const {
  if (!capabilities_.needs_unpack) return range;
  const std::size_t before = reinterpret_cast<std::uintptr_t>(range.data) % kPageBytes;
  range.data = static_cast<std::byte*>(range.data) - before;
  range.bytes += before;
  return range;
}

const Registration* LaneMemory::known(const LocalRegion& region) const {
  const auto at = registrations_.find(&region);
  return at == registrations_.end() ? nullptr : at->second;
}

Result<LaneMemory::Own> LaneMemory::make_own(std::size_t bytes, const std::shared_ptr<Gpu>& gpu) {
  MemoryRange range{nullptr, bytes};
  if (gpu != nullptr) {
    HAWSER_ASSIGN(Buffer buffer, Buffer::pinned(gpu, bytes));
    range = buffer.range();
    pinned_.push_back(std::move(buffer));
  } else {
    plain_.emplace_back(static_cast<std::byte*>(::operator new(bytes, kPage)));
    range.data = plain_.back().get();
  }
  HAWSER_ASSIGN(Registration* const made, comm_->register_memory(range));
  own_.push_back(made);
  return Own{range.at(0), made};
}

void LaneMemory::forget(const LocalRegion& region) {
  const auto at = registrations_.find(&region);
  if (at == registrations_.end()) return;
  if (const Status dropped = comm_->deregister(at->second); !dropped.ok())
    log_warning("deregistering memory of a channel: {}", dropped.error().message());
  registrations_.erase(at);
}

Status LaneMemory::make_pool(Pool& pool, const std::shared_ptr<Gpu>& gpu) {
  const std::size_t bytes = slots_ * slot_bytes_;
  HAWSER_ASSIGN(Buffer buffer, gpu != nullptr ? Buffer::pinned(gpu, bytes) : Buffer::host(bytes));
  HAWSER_ASSIGN(pool.registration, comm_->register_memory(buffer.range()));
  pool.buffer.emplace(std::move(buffer));
  pool.free.resize(slots_);
  std::iota(pool.free.rbegin(), pool.free.rend(), std::uint16_t{0});
  return {};
}

Result<StagingSlot> LaneMemory::take_slot(const std::shared_ptr<Gpu>& gpu) {
  Pool& pool = pools_[gpu != nullptr ? 1 : 0];
  if (!pool.buffer) HAWSER_TRY(make_pool(pool, gpu));
  const std::uint16_t index = pool.free.back();
  pool.free.pop_back();
  return StagingSlot{pool.buffer->range().at(index * slot_bytes_), pool.registration,
                     gpu != nullptr, index};
}

void LaneMemory::give_back(const StagingSlot& slot) {
  pools_[slot.pinned ? 1 : 0].free.push_back(slot.index);
}

Status LaneMemory::prepare(const std::shared_ptr<Gpu>& gpu) {
  HAWSER_TRY(make_pool(pools_[1], gpu));
  HAWSER_ASSIGN(CopyQueue* const queue, copies(gpu));
  return queue->prepare_blocks();
}

Result<CopyQueue*> LaneMemory::copies(const std::shared_ptr<Gpu>& gpu) {
  std::unique_ptr<CopyQueue>& queue = queues_[gpu.get()];
  if (queue == nullptr) {
    if (gpu == nullptr) {
      queue = make_host_copy_queue();
    } else {
      HAWSER_ASSIGN(queue, make_gpu_copy_queue(gpu, kMaxCopyMarks));
    }
  }
  return queue.get();
}

}  // namespace hawser::engine
