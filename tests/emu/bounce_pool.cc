#include "bounce_pool.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <random>

#include "unpack_layout.h"

namespace emu {
namespace {

constexpr unsigned kScrambleSeed = 7;

std::size_t pool_bytes(std::uint32_t pages) {
  return std::size_t{pages} * kPageBytes;
}

}  // namespace

std::unique_ptr<BouncePool> BouncePool::create(Place place, std::uint32_t pages, Stats& stats) {
  void* base = place.allocate_device(pool_bytes(pages));
  if (base == nullptr) return nullptr;
  return std::unique_ptr<BouncePool>(new BouncePool(place, base, pages, stats));
}

BouncePool::BouncePool(Place place, void* base, std::uint32_t pages, Stats& stats)
    : place_(place), base_(base), pages_(pages), stats_(stats), ring_(pages), free_(pages) {
  std::iota(ring_.begin(), ring_.end(), 0U);
  std::shuffle(ring_.begin(), ring_.end(), std::mt19937(kScrambleSeed));
}

BouncePool::~BouncePool() {
  place_.free_device(base_, pool_bytes(pages_));
}

std::optional<std::uint32_t> BouncePool::take() {
  const std::lock_guard lock(mutex_);
  if (free_ == 0) return std::nullopt;
  const std::uint32_t page = ring_[head_];
  head_ = (head_ + 1) % ring_.size();
  --free_;
  stats_.pages.add(1);
  return page;
}

bool BouncePool::poison(std::uint32_t page) {
  static const auto kPage = [] {
    std::array<unsigned char, kPageBytes> bytes;
    bytes.fill(kPoison);
    return bytes;
  }();
  return write(page * kPageBytes, kPage.data(), kPage.size());
}

bool BouncePool::give_back(std::span<const std::uint32_t> pages) {
  bool poisoned = true;
  for (const std::uint32_t page : pages) poisoned = poison(page) && poisoned;
  const std::lock_guard lock(mutex_);
  for (const std::uint32_t page : pages) {
    ring_[(head_ + free_) % ring_.size()] = page;
    ++free_;
  }
  stats_.pages.subtract(pages.size());
  return poisoned;
}

bool BouncePool::write(std::uint32_t offset, const void* data, std::size_t bytes) {
  return place_.write(static_cast<std::byte*>(base_) + offset, data, bytes);
}

}  // namespace emu
