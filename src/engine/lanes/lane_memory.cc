#include "engine/lanes/lane_memory.h"

#include <algorithm>
#include <cstring>
#include <limits>
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
  for (const auto& [region, pieces] : registrations_)
    for (const auto& piece : pieces) drop(piece.value_or(nullptr));
  for (const Pool& pool : pools_) drop(pool.registration);
  for (Registration* const registration : own_) drop(registration);
  comm_.reset();
}

void LaneMemory::drop(Registration* registration) {
  if (registration == nullptr) return;
  if (const Status dropped = comm_->deregister(registration); !dropped.ok())
    log_info("deregistering memory of a channel: {}", dropped.error().message());
}

bool LaneMemory::reaches(const LocalRegion& region) const {
  return region.range().kind == MemoryKind::host ? capabilities_.host_pointers
                                                 : capabilities_.cuda_pointers;
}

// Pieces overlap by a slot, so that whatever begins in one lies in it.
std::size_t LaneMemory::bytes_of_piece() const {
  const std::size_t most = capabilities_.max_registration_bytes;
  return most == 0 ? std::numeric_limits<std::size_t>::max() / 2
                   : (most - slot_bytes_) / kPageBytes * kPageBytes - kPageBytes;
}

Result<Registration*> LaneMemory::registration(const LocalRegion& region, std::uint64_t offset) {
  const std::size_t piece = static_cast<std::size_t>(offset) / bytes_of_piece();
  auto& pieces = registrations_[&region];
  if (pieces.size() <= piece) pieces.resize(piece + 1);
  if (!pieces[piece]) {
    HAWSER_ASSIGN(pieces[piece], register_piece(region, piece));
  }
  return *pieces[piece];
}

Result<Registration*> LaneMemory::register_piece(const LocalRegion& region, std::size_t piece) {
  if (!reaches(region)) return static_cast<Registration*>(nullptr);
  const MemoryRange& all = region.range();
  const std::size_t start = piece * bytes_of_piece();
  const std::size_t bytes = std::min(all.bytes - start, bytes_of_piece() + slot_bytes_);
  MemoryRange part = all.slice(start, bytes);
  part.may_vanish = true;
  auto made = comm_->register_memory(part);
  if (made.ok() || made.error().code() != Code::unavailable) return made;
  log_info("a region goes through staging memory: {}", made.error().message());
  return static_cast<Registration*>(nullptr);
}

bool LaneMemory::is_of(const Registration* registration, const LocalRegion& region) const {
  const auto at = registrations_.find(&region);
  if (registration == nullptr || at == registrations_.end()) return false;
  return std::ranges::any_of(at->second, [registration](const auto& piece) {
    return piece.value_or(nullptr) == registration;
  });
}

Status LaneMemory::check(const LocalRegion& region, std::uint64_t offset, std::uint64_t bytes,
                         Access access) {
  if (capabilities_.reports_lost_memory || region.gpu() != nullptr || region.pinned()) return {};
  const MemoryRange part = region.range().slice(offset, bytes);
  return access == Access::read ? careful_.check_readable(part) : check_writable(part);
}

Result<Registration*> LaneMemory::register_own(const MemoryRange& range) {
  return registers_ ? comm_->register_memory(range) : static_cast<Registration*>(nullptr);
}

Result<LaneMemory::Own> LaneMemory::make_own(std::size_t bytes, const std::shared_ptr<Gpu>& gpu) {
  MemoryRange range{nullptr, bytes};
  if (gpu != nullptr) {
    HAWSER_ASSIGN(Buffer buffer, Buffer::pinned(gpu, bytes));
    range = buffer.range();
    pinned_.push_back(std::move(buffer));
  } else {
    range.data = careful_.make_own(bytes);
  }
  HAWSER_ASSIGN(Registration* const made, register_own(range));
  own_.push_back(made);
  return Own{range.at(0), made};
}

void LaneMemory::forget(const LocalRegion& region) {
  const auto at = registrations_.find(&region);
  if (at == registrations_.end()) return;
  for (const auto& piece : at->second) drop(piece.value_or(nullptr));
  registrations_.erase(at);
}

Status LaneMemory::make_pool(Pool& pool, const std::shared_ptr<Gpu>& gpu) {
  const std::size_t bytes = slots_ * slot_bytes_;
  MemoryRange range{nullptr, bytes};
  if (gpu != nullptr) {
    HAWSER_ASSIGN(Buffer buffer, Buffer::pinned(gpu, bytes));
    range = buffer.range();
    pool.pinned.emplace(std::move(buffer));
  } else {
    range.data = careful_.make_own(bytes);
    std::memset(range.data, 0, bytes);  // so that every page is there before the first transfer
  }
  HAWSER_ASSIGN(pool.registration, register_own(range));
  pool.data = range.at(0);
  pool.free.resize(slots_);
  std::iota(pool.free.rbegin(), pool.free.rend(), std::uint16_t{0});
  return {};
}

Result<StagingSlot> LaneMemory::take_slot(const std::shared_ptr<Gpu>& gpu) {
  Pool& pool = pools_[gpu != nullptr ? 1 : 0];
  if (pool.data == nullptr) HAWSER_TRY(make_pool(pool, gpu));
  const std::uint16_t index = pool.free.back();
  pool.free.pop_back();
  return StagingSlot{pool.data + index * slot_bytes_, pool.registration, gpu != nullptr, index};
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
      queue = make_careful_copy_queue(careful_);
    } else {
      HAWSER_ASSIGN(queue, make_gpu_copy_queue(gpu, kMaxCopyMarks));
    }
  }
  return queue.get();
}

}  // namespace hawser::engine
