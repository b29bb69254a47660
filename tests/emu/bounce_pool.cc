#include "bounce_pool.h"

#include <algorithm>
#include <cstring>

#include "unpack_layout.h"

namespace emu {
namespace {

using std::chrono::steady_clock;

std::size_t pool_bytes(std::uint32_t pages) {
  return std::size_t{pages} * kPageBytes;
}

std::uint32_t extent_pages(const Place& place) {
  return place.on_gpu() ? BouncePool::kGpuExtentPages : 1;
}

}  // namespace

std::unique_ptr<BouncePool> BouncePool::create(Place place, std::uint32_t pages, Stats& stats) {
  void* base = place.allocate_device(pool_bytes(pages));
  if (base == nullptr) return nullptr;
  auto poisoner = place.on_gpu() ? Poisoner::create(place, static_cast<std::byte*>(base)) : nullptr;
  if (place.on_gpu() && poisoner == nullptr) {
    place.free_device(base, pool_bytes(pages));
    return nullptr;
  }
  return std::unique_ptr<BouncePool>(
      new BouncePool(place, base, pages, std::move(poisoner), stats));
}

BouncePool::BouncePool(Place place, void* base, std::uint32_t pages,
                       std::unique_ptr<Poisoner> poisoner, Stats& stats)
    : place_(place),
      base_(base),
      pages_(pages),
      poisoner_(std::move(poisoner)),
      stats_(stats),
      free_(pages, extent_pages(place)) {}

BouncePool::~BouncePool() {
  place_.free_device(base_, pool_bytes(pages_));
}

std::byte* BouncePool::page(std::uint32_t number) const {
  return static_cast<std::byte*>(base_) + std::size_t{number} * kPageBytes;
}

// On a GPU: puts what was poisoned meanwhile among the free ones.
void BouncePool::reclaim() {
  if (poisoner_ == nullptr) return;
  std::span<const std::uint32_t> pages;
  usable_ = usable_ && poisoner_->finished(pages);
  for (const std::uint32_t page : pages) free_.put(page);
}

std::size_t BouncePool::take(const void* who, std::uint32_t need, std::span<std::uint32_t> pages) {
  const std::lock_guard lock(mutex_);
  reclaim();
  const std::size_t before = wanted_before(who);
  const std::size_t left = free_.count() > before ? free_.count() - before : 0;
  const std::size_t got = hand_out(pages, left);
  note(who, need, got);
  stats_.pages.add(got);
  return got;
}

// On the host pages need not be neighbours.
std::size_t BouncePool::hand_out(std::span<std::uint32_t> pages, std::size_t most) {
  const std::size_t end = std::min(pages.size(), most);
  std::size_t got = 0;
  while (got < end && (got == 0 || !place_.on_gpu())) {
    const FreePages::Run run = free_.take(static_cast<std::uint32_t>(end - got));
    for (std::uint32_t i = 0; i < run.count; ++i) pages[got++] = run.first + i;
  }
  return got;
}

// What is kept for those who came earlier.
std::size_t BouncePool::wanted_before(const void* who) const {
  std::size_t sum = 0;
  for (const Waiter& waiter : waiting_) {
    if (waiter.who == who) break;
    sum += waiter.need;
  }
  return sum;
}

void BouncePool::note(const void* who, std::uint32_t need, std::size_t got) {
  auto mine = std::find_if(waiting_.begin(), waiting_.end(),
                           [who](const Waiter& waiter) { return waiter.who == who; });
  if (mine == waiting_.end()) {
    if (got == 0) waiting_.push_back({who, need, steady_clock::now()});
    return;
  }
  mine->need = need - got;
  if (got == 0) {
    if (!mine->since) mine->since = steady_clock::now();
    return;
  }
  goes_on(*mine);
  if (mine->need == 0) waiting_.erase(mine);
}

void BouncePool::goes_on(Waiter& waiter) {
  if (!waiter.since) return;
  const auto waited = steady_clock::now() - *waiter.since;
  waiter.since.reset();
  stats_.pool_starved_us.fetch_add(
      static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::microseconds>(waited).count()),
      std::memory_order_relaxed);
}

void BouncePool::leave(const void* who) {
  const std::lock_guard lock(mutex_);
  std::erase_if(waiting_, [who](const Waiter& waiter) { return waiter.who == who; });
}

bool BouncePool::give_back(std::span<const std::uint32_t> pages) {
  if (poisoner_ == nullptr)
    for (const std::uint32_t number : pages) std::memset(page(number), kPoison, kPageBytes);
  const std::lock_guard lock(mutex_);
  if (poisoner_ == nullptr)
    for (const std::uint32_t number : pages) free_.put(number);
  else if (!pages.empty())
    usable_ = usable_ && poisoner_->add(pages);
  stats_.pages.subtract(pages.size());
  return usable_;
}

bool BouncePool::usable() const {
  const std::lock_guard lock(mutex_);
  return usable_;
}

}  // namespace emu
