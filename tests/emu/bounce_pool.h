// The pages that receives land in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "place.h"
#include "stats.h"

namespace emu {

inline constexpr unsigned char kPoison = 0xDB;

// One per GPU (or one for the host), shared by all comms there. Pages come in scrambled
// order; a page that is given back is filled with kPoison first, so that a host that
// gives back before it has copied reads rubbish. Thread-safe.
class BouncePool {
 public:
  static std::unique_ptr<BouncePool> create(Place place, std::uint32_t pages, Stats& stats);
  ~BouncePool();
  BouncePool(const BouncePool&) = delete;
  BouncePool& operator=(const BouncePool&) = delete;

  void* base() const { return base_; }

  std::optional<std::uint32_t> take();  // nullopt: exhausted
  bool give_back(std::span<const std::uint32_t> pages);
  // `offset` is from the start of the pool, inside a page that the caller took.
  bool write(std::uint32_t offset, const void* data, std::size_t bytes);
  bool settle() const { return place_.settle(); }

 private:
  BouncePool(Place place, void* base, std::uint32_t pages, Stats& stats);
  bool poison(std::uint32_t page);

  const Place place_;
  void* const base_;
  const std::uint32_t pages_;
  Stats& stats_;
  std::mutex mutex_;
  std::vector<std::uint32_t> ring_;  // the free pages, under mutex_
  std::size_t head_ = 0;
  std::size_t free_ = 0;
};

}  // namespace emu
