// How much somebody may make us keep.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"

namespace hawser {

// An amount that may be in use at a time. A first part of it is its own; what goes beyond is also
// in use of the budget above it, where there is one. Thread-safe; outlives its shares, which keep
// it.
class Budget : public std::enable_shared_from_this<Budget> {
 public:
  // `name`: "bytes that 192.0.2.7 makes this side keep"; `limit`: where that comes from, for
  // messages.
  static std::shared_ptr<Budget> make(std::string name, std::string limit, std::uint64_t most,
                                      std::shared_ptr<Budget> above = nullptr) {
    return std::shared_ptr<Budget>(
        new Budget(std::move(name), std::move(limit), most, std::move(above)));
  }
  static std::shared_ptr<Budget> unbounded() {
    return make("anything", "no limit", std::numeric_limits<std::uint64_t>::max());
  }
  ~Budget();
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  // A part of it, given back when it is destroyed. A default one is of none. Not thread-safe.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept
        : of_(std::move(other.of_)), amount_(std::exchange(other.amount_, 0)) {}
    Share& operator=(Share&& other) noexcept {
      std::swap(of_, other.of_);
      std::swap(amount_, other.amount_);
      return *this;
    }
    ~Share() {
      if (of_ != nullptr) of_->give_back(amount_);
    }

   private:
    friend class Budget;
    Share(std::shared_ptr<Budget> of, std::uint64_t amount) : of_(std::move(of)), amount_(amount) {}

    std::shared_ptr<Budget> of_;
    std::uint64_t amount_ = 0;
  };
  // Code::peer: there is not so much left, here or above.
  Result<Share> take(std::uint64_t amount);
  // Likewise, without a word.
  std::optional<Share> try_take(std::uint64_t amount);

  std::uint64_t most() const { return most_; }
  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  Budget(std::string name, std::string limit, std::uint64_t most, std::shared_ptr<Budget> above);
  const Budget* reserve(std::uint64_t amount);  // null: it is reserved; else who had no room
  const Budget* ask_above();
  void give_back(std::uint64_t amount);
  std::uint64_t steps_for(std::uint64_t amount) const;

  const std::string name_;
  const std::string limit_;
  const std::uint64_t most_;
  const std::shared_ptr<Budget> above_;
  const std::uint64_t step_;
  std::atomic<std::uint64_t> used_{0};  // a number, publishes nothing
  std::mutex mutex_;                    // of whoever changes what follows
  std::atomic<std::uint64_t> covered_;  // its own part, and what it has of the one above
};

}  // namespace hawser
