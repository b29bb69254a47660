// The peer's messages, which its channels bring in any order, in that of their numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/budget.h"
#include "base/result.h"
#include "engine/wire.h"

namespace hawser::engine {

// Guarded by the mutex of whoever owns it, which is held while it delivers.
class InOrder {
 public:
  // What is held back is counted in `budget`.
  explicit InOrder(std::shared_ptr<Budget> budget = Budget::unbounded())
      : budget_(std::move(budget)) {}

  using Deliver = std::function<Status(const wire::Record&)>;
  // Delivers it, and those that have waited for it; or keeps it until its turn. Code::protocol: its
  // number came twice, or is too far ahead; else what `deliver` says, which is called no more then.
  Status take(std::uint64_t order, const wire::Record& record, const Deliver& deliver);
  void clear() { held_back_.clear(); }

 private:
  static constexpr std::size_t kMaxHeldBack = 65536;

  Status hold_back(std::uint64_t order, const wire::Record& record);
  static Status deliver_held_back(std::span<const std::byte> frame, const Deliver& deliver);

  std::uint64_t next_ = 1;
  struct HeldBack {
    std::vector<std::byte> frame;  // of one message
    Budget::Share share;
  };
  const std::shared_ptr<Budget> budget_;
  std::map<std::uint64_t, HeldBack> held_back_;
};

}  // namespace hawser::engine
