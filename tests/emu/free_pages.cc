#include "free_pages.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <random>

namespace emu {
namespace {

constexpr unsigned kScrambleSeed = 7;

std::uint64_t lowest_bits(std::uint32_t count) {
  return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

}  // namespace

FreePages::FreePages(std::uint32_t pages, std::uint32_t extent_pages)
    : extent_pages_(extent_pages),
      free_((pages + extent_pages - 1) / extent_pages, lowest_bits(extent_pages)),
      ring_(free_.size()),
      extents_(free_.size()),
      count_(pages) {
  if (const std::uint32_t rest = pages % extent_pages; rest != 0) free_.back() = lowest_bits(rest);
  std::iota(ring_.begin(), ring_.end(), 0U);
  std::shuffle(ring_.begin(), ring_.end(), std::mt19937(kScrambleSeed));
}

FreePages::Run FreePages::take(std::uint32_t most) {
  const std::uint32_t extent = ring_[head_];
  std::uint64_t& bits = free_[extent];
  const auto first = static_cast<std::uint32_t>(std::countr_zero(bits));
  const auto neighbours = static_cast<std::uint32_t>(std::countr_one(bits >> first));
  const std::uint32_t taken = std::min(neighbours, most);
  bits &= ~(lowest_bits(taken) << first);
  if (bits == 0) {
    head_ = (head_ + 1) % ring_.size();
    --extents_;
  }
  count_ -= taken;
  return {extent * extent_pages_ + first, taken};
}

void FreePages::put(std::uint32_t page) {
  std::uint64_t& bits = free_[page / extent_pages_];
  if (bits == 0) ring_[(head_ + extents_++) % ring_.size()] = page / extent_pages_;
  bits |= std::uint64_t{1} << page % extent_pages_;
  ++count_;
}

}  // namespace emu
