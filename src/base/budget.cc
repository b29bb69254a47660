#include "base/budget.h"

#include <fmt/core.h>

#include <algorithm>

namespace hawser {
namespace {

// The part that is its own, and what it asks for above at a time: whoever takes and gives back all
// the time has nothing to do with what others write to.
constexpr std::uint64_t kSteps = 64;

}  // namespace

Budget::Budget(std::string name, std::string limit, std::uint64_t most,
               std::shared_ptr<Budget> above)
    : name_(std::move(name)),
      limit_(std::move(limit)),
      most_(most),
      above_(std::move(above)),
      step_(std::max<std::uint64_t>(1, most / kSteps)),
      covered_(step_) {}

Budget::~Budget() {
  if (above_ != nullptr) above_->give_back(covered_.load(std::memory_order_relaxed) - step_);
}

std::uint64_t Budget::steps_for(std::uint64_t amount) const {
  return (amount / step_ + (amount % step_ != 0 ? 1 : 0)) * step_;
}

Result<Budget::Share> Budget::take(std::uint64_t amount) {
  if (const Budget* const full = reserve(amount))
    return Error(Code::peer,
                 fmt::format("{}: more than {} ({})", full->name_, full->most_, full->limit_));
  return Share(shared_from_this(), amount);
}

std::optional<Budget::Share> Budget::try_take(std::uint64_t amount) {
  if (reserve(amount) != nullptr) return std::nullopt;
  return Share(shared_from_this(), amount);
}

const Budget* Budget::reserve(std::uint64_t amount) {
  std::uint64_t used = used_.load(std::memory_order_relaxed);
  do {
    if (amount > most_ || used > most_ - amount) return this;
  } while (!used_.compare_exchange_weak(used, used + amount, std::memory_order_relaxed));
  if (above_ == nullptr || used + amount <= covered_.load(std::memory_order_relaxed))
    return nullptr;
  const Budget* const full = ask_above();
  if (full != nullptr) used_.fetch_sub(amount, std::memory_order_relaxed);
  return full;
}

const Budget* Budget::ask_above() {
  const std::lock_guard lock(mutex_);
  const std::uint64_t covered = covered_.load(std::memory_order_relaxed);
  const std::uint64_t wanted = steps_for(used_.load(std::memory_order_relaxed));
  if (wanted <= covered) return nullptr;
  const Budget* const full = above_->reserve(wanted - covered);
  if (full == nullptr) covered_.store(wanted, std::memory_order_relaxed);
  return full;
}

// Keeps a step in hand. Whoever takes at the same moment may not be covered until he takes again.
void Budget::give_back(std::uint64_t amount) {
  const std::uint64_t used = used_.fetch_sub(amount, std::memory_order_relaxed) - amount;
  const auto enough = [this](std::uint64_t in_use) { return steps_for(in_use) + step_; };
  if (above_ == nullptr || covered_.load(std::memory_order_relaxed) <= enough(used)) return;
  const std::lock_guard lock(mutex_);
  const std::uint64_t covered = covered_.load(std::memory_order_relaxed);
  const std::uint64_t kept = enough(used_.load(std::memory_order_relaxed));
  if (covered <= kept) return;
  above_->give_back(covered - kept);
  covered_.store(kept, std::memory_order_relaxed);
}

}  // namespace hawser
