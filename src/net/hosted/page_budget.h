// What receives may hold of a bounce pool, so that it never runs dry with none of them complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.h"

namespace hawser {

// Of one pool, shared by all comms that receive into it. A receive takes what it may come to hold
// before it is posted, and gives it back when it is consumed. First come, first served: a large one
// is not starved by small ones. Thread-safe.
class PageBudget {
 public:
  // TCPX-like plugins take at most 2048 fragments a request of 512 KiB: no more, on average, than
  // one for so many bytes. Each holds a page.
  static constexpr std::size_t kBytesPerPage = 256;
  static constexpr std::size_t kMostPages = 2048;
  // Up to here a receive may wait for long, with nothing under way: a header, not bulk data.
  static constexpr std::size_t kSmallBytes = 16 * 1024;
  // A comm that does not come back for its turn loses it.
  static constexpr Milliseconds kTurn{100};

  // An eighth of the pool stays free: it is not known what else lies in it.
  explicit PageBudget(std::size_t pool_bytes, const Clock& clock = Clock::system());

  // A comm, which must leave. `who` tells them apart.
  void join();
  void leave(const void* who);
  // The pages taken; none: not now, ask again. A comm's only receive (`only`), where it is small,
  // takes no more than its part of a quarter of all, a large one no more than what is then left: in
  // any pool a large one fits beside small ones that wait for quiet peers, alone if need be.
  std::optional<std::size_t> try_take(const void* who, std::size_t receive_bytes, bool only);
  void give_back(std::size_t pages);

  std::size_t capacity() const { return capacity_; }
  std::size_t taken() const;

 private:
  std::size_t pages_for_locked(std::size_t receive_bytes, bool only) const;
  bool is_its_turn_locked(const void* who, bool fits);

  struct Waiting {
    const void* who;
    TimePoint asked;
  };
  const Clock& clock_;
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::size_t comms_ = 0;  // under mutex_, as what follows
  std::size_t taken_ = 0;
  std::deque<Waiting> waiting_;  // longest first
};

// The budgets of a plugin's pools. Thread-safe.
class PageBudgets {
 public:
  // The pool's, made when first asked for; it goes with the last comm that has it, since another
  // pool may come to lie there.
  std::shared_ptr<PageBudget> of(const void* pool, std::size_t pool_bytes);

 private:
  std::mutex mutex_;
  std::map<const void*, std::weak_ptr<PageBudget>> budgets_;
};

// What one comm has taken of a budget. Not thread-safe.
class PageShare {
 public:
  PageShare() = default;  // of a pool whose size nobody knows: takes what it likes
  ~PageShare();
  PageShare(const PageShare&) = delete;
  PageShare& operator=(const PageShare&) = delete;

  void join(std::shared_ptr<PageBudget> budget);  // once
  std::optional<std::size_t> try_take(std::size_t receive_bytes);
  void give_back(std::size_t pages);

 private:
  std::shared_ptr<PageBudget> budget_;
  std::size_t held_ = 0;  // pages
};

}  // namespace hawser
