// The peer's messages, which its channels bring in any order, in that of their numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/wire.h"

namespace hawser::engine {

// Guarded by the mutex of whoever owns it, which is held while it delivers.
class InOrder {
 public:
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
  std::map<std::uint64_t, std::vector<std::byte>> held_back_;  // frames of one message each
};

}  // namespace hawser::engine
