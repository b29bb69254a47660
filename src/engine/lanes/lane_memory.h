// What one end of a channel needs of memory: registrations, staging slots, copy queues.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "engine/region_table.h"
#include "memory/access.h"
#include "memory/buffer.h"
#include "memory/careful_copies.h"
#include "memory/copy_queue.h"
#include "net/net.h"

namespace hawser::engine {

// A slot of pinned or plain memory, as large as the largest chunk. A value.
struct StagingSlot {
  std::byte* data = nullptr;
  Registration* registration = nullptr;
  bool pinned = false;
  std::uint16_t index = 0;
  explicit operator bool() const { return data != nullptr; }
};

// Not thread-safe: of the thread that drives the channel. Everything is made when it is first
// needed, once, and given up with the channel.
class LaneMemory {
 public:
  // Of a comm that `registers` nothing, registrations are null. `page_file` may be null.
  LaneMemory(std::shared_ptr<Comm> comm, const NetCapabilities& capabilities, bool registers,
             std::size_t slot_bytes, std::size_t slots, std::shared_ptr<PageFile> page_file)
      : comm_(std::move(comm)),
        capabilities_(capabilities),
        registers_(registers),
        slot_bytes_(slot_bytes),
        slots_(slots),
        careful_(std::move(page_file)) {}
  ~LaneMemory() { close(); }
  LaneMemory(const LaneMemory&) = delete;
  LaneMemory& operator=(const LaneMemory&) = delete;

  // A part of a region, at most as long as a slot, as the Net takes it: made when first asked for,
  // for as much of the region as one registration may hold. Null: the Net does not reach it, and it
  // is to be staged.
  Result<Registration*> registration(const LocalRegion& region, std::uint64_t offset);
  // Whether it is one of the region's.
  bool is_of(const Registration* registration, const LocalRegion& region) const;
  // The region is no longer used, and goes.
  void forget(const LocalRegion& region);

  // Memory of the lane's own, registered as the comm wants it; pinned where there is a GPU. What is
  // never touched is never the kernel's to give.
  struct Own {
    std::byte* data = nullptr;
    Registration* registration = nullptr;
  };
  Result<Own> make_own(std::size_t bytes, const std::shared_ptr<Gpu>& gpu);

  // Slots for host memory are plain, those for a GPU's pinned.
  std::size_t free_plain_slots() const { return free_slots(pools_[0]); }
  std::size_t free_pinned_slots() const { return free_slots(pools_[1]); }
  Result<StagingSlot> take_slot(const std::shared_ptr<Gpu>& gpu);  // there must be a free one
  void give_back(const StagingSlot& slot);

  // Makes ahead of time what data of that GPU will need: slots, a queue, the kernel.
  Status prepare(const std::shared_ptr<Gpu>& gpu);
  // Copies of host memory, a user's on one side and memory of the lane's own on the other.
  CarefulCopies& careful() { return careful_; }
  // Before a Net gets a part of a region that would lose more than a request by its not being
  // there: whether it is. Of host memory only.
  Status check(const LocalRegion& region, std::uint64_t offset, std::uint64_t bytes, Access access);
  // Of that GPU, or of the host: then as careful() does it.
  Result<CopyQueue*> copies(const std::shared_ptr<Gpu>& gpu);

  // Waits for copies, drops all registrations and closes the connection, in this order, before any
  // memory goes: a plugin may write to it until then.
  void close();

 private:
  struct Pool {
    std::byte* data = nullptr;
    std::optional<Buffer> pinned;  // where `data` is, if it is pinned
    Registration* registration = nullptr;
    std::vector<std::uint16_t> free;
  };
  std::size_t free_slots(const Pool& pool) const { return pool.data ? pool.free.size() : slots_; }
  bool reaches(const LocalRegion& region) const;
  std::size_t bytes_of_piece() const;
  Result<Registration*> register_piece(const LocalRegion& region, std::size_t piece);
  Result<Registration*> register_own(const MemoryRange& range);
  void drop(Registration* registration);
  Status make_pool(Pool& pool, const std::shared_ptr<Gpu>& gpu);

  std::shared_ptr<Comm> comm_;  // null once it is closed
  const NetCapabilities capabilities_;
  const bool registers_;
  const std::size_t slot_bytes_;
  const std::size_t slots_;
  // Of each region, by piece; null: one that is to be staged; nothing: not asked for yet.
  std::unordered_map<const LocalRegion*, std::vector<std::optional<Registration*>>> registrations_;
  std::vector<Registration*> own_;
  CarefulCopies careful_;  // plain memory of the lane's own is its
  std::vector<Buffer> pinned_;
  std::array<Pool, 2> pools_;  // plain, pinned
  std::unordered_map<const Gpu*, std::unique_ptr<CopyQueue>> queues_;
};

}  // namespace hawser::engine
