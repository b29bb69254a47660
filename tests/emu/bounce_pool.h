// The pages that receives land in.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "free_pages.h"
#include "place.h"
#include "poisoner.h"
#include "stats.h"

namespace emu {

// One per GPU (or one for the host), shared by all comms there. Pages come in scrambled order, on a
// GPU in runs of neighbours. One that is given back is filled with kPoison before anybody gets it,
// so that a host that gives back before it has copied reads rubbish. Where there are too few, who
// has waited longest is served first. Thread-safe; no call blocks.
class BouncePool {
 public:
  static std::unique_ptr<BouncePool> create(Place place, std::uint32_t pages, Stats& stats);
  ~BouncePool();
  BouncePool(const BouncePool&) = delete;
  BouncePool& operator=(const BouncePool&) = delete;

  void* base() const { return base_; }
  std::byte* page(std::uint32_t number) const;

  // For `who`, whose receive still wants `need` pages: some of them, at most pages.size(), into
  // `pages`; on a GPU these are neighbours. How many; 0: there is none for him, who from now on has
  // his place among those who wait, until he has got all that he needs, or leaves.
  std::size_t take(const void* who, std::uint32_t need, std::span<std::uint32_t> pages);
  void leave(const void* who);
  // False, now or later: the GPU failed, and the pages are lost.
  bool give_back(std::span<const std::uint32_t> pages);
  bool usable() const;

  static constexpr std::uint32_t kGpuExtentPages = 32;

 private:
  struct Waiter {
    const void* who;
    std::size_t need;
    std::optional<std::chrono::steady_clock::time_point> since;  // while he stands still
  };

  BouncePool(Place place, void* base, std::uint32_t pages, std::unique_ptr<Poisoner> poisoner,
             Stats& stats);
  std::size_t hand_out(std::span<std::uint32_t> pages, std::size_t most);
  std::size_t wanted_before(const void* who) const;
  void note(const void* who, std::uint32_t need, std::size_t got);
  void goes_on(Waiter& waiter);
  void reclaim();

  const Place place_;
  void* const base_;
  const std::uint32_t pages_;
  const std::unique_ptr<Poisoner> poisoner_;  // nullptr: host memory
  Stats& stats_;
  mutable std::mutex mutex_;
  FreePages free_;               // under mutex_, as are these:
  std::vector<Waiter> waiting_;  // in the order in which they came
  bool usable_ = true;
};

}  // namespace emu
