#include "net/hosted/page_budget.h"

#include <algorithm>
#include <utility>

#include "memory/range.h"

namespace hawser {

PageBudget::PageBudget(std::size_t pool_bytes, const Clock& clock)
    : clock_(clock), capacity_(std::max<std::size_t>(pool_bytes / kPageBytes / 8 * 7, 2)) {}

void PageBudget::join() {
  const std::lock_guard lock(mutex_);
  ++comms_;
}

void PageBudget::leave(const void* who) {
  const std::lock_guard lock(mutex_);
  --comms_;
  std::erase_if(waiting_, [&](const Waiting& one) { return one.who == who; });
}

std::size_t PageBudget::pages_for_locked(std::size_t receive_bytes, bool only) const {
  if (receive_bytes == 0) return 0;
  const std::size_t small = std::max<std::size_t>(capacity_ / 4 / comms_, 1);
  const std::size_t large = capacity_ - std::min(small * comms_, capacity_ - 1);
  const bool waits = only && receive_bytes <= kSmallBytes;
  return std::min({receive_bytes / kBytesPerPage + 1, kMostPages, waits ? small : large});
}

std::optional<std::size_t> PageBudget::try_take(const void* who, std::size_t receive_bytes,
                                                bool only) {
  const std::lock_guard lock(mutex_);
  const std::size_t pages = pages_for_locked(receive_bytes, only);
  if (pages == 0) return pages;
  if (!is_its_turn_locked(who, pages <= capacity_ - taken_)) return std::nullopt;
  taken_ += pages;
  return pages;
}

// A comm whose transfer was given up asks no more, and is passed over.
bool PageBudget::is_its_turn_locked(const void* who, bool fits) {
  const TimePoint now = clock_.now();
  while (!waiting_.empty() && now - waiting_.front().asked > kTurn) waiting_.pop_front();
  const auto mine = std::find_if(waiting_.begin(), waiting_.end(),
                                 [&](const Waiting& one) { return one.who == who; });
  const bool is_first = mine == waiting_.begin();  // of none, too
  if (is_first && fits) {
    if (mine != waiting_.end()) waiting_.erase(mine);
    return true;
  }
  if (mine == waiting_.end())
    waiting_.push_back({who, now});
  else
    mine->asked = now;
  return false;
}

void PageBudget::give_back(std::size_t pages) {
  const std::lock_guard lock(mutex_);
  taken_ -= pages;
}

std::size_t PageBudget::taken() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

std::shared_ptr<PageBudget> PageBudgets::of(const void* pool, std::size_t pool_bytes) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<PageBudget>& known = budgets_[pool];
  std::shared_ptr<PageBudget> budget = known.lock();
  if (budget == nullptr) known = budget = std::make_shared<PageBudget>(pool_bytes);
  return budget;
}

PageShare::~PageShare() {
  if (budget_ == nullptr) return;
  budget_->leave(this);
  budget_->give_back(held_);
}

void PageShare::join(std::shared_ptr<PageBudget> budget) {
  budget_ = std::move(budget);
  budget_->join();
}

std::optional<std::size_t> PageShare::try_take(std::size_t receive_bytes) {
  if (budget_ == nullptr) return 0;
  const auto taken = budget_->try_take(this, receive_bytes, held_ == 0);
  held_ += taken.value_or(0);
  return taken;
}

void PageShare::give_back(std::size_t pages) {
  if (budget_ == nullptr || pages == 0) return;
  held_ -= pages;
  budget_->give_back(pages);
}

}  // namespace hawser
