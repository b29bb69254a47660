// Messages and receives that wait for each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "engine/operations/operation.h"

namespace hawser::engine {

// Those of one tag meet in the order in which they came. Guarded by the mutex of whoever owns it.
class TagMatch {
 public:
  // What waits is counted in `budget`.
  explicit TagMatch(std::shared_ptr<Budget> budget = Budget::unbounded());

  // The receive that the message meets; null: the message waits, and has been moved here.
  // Code::protocol: it does already.
  Result<std::shared_ptr<Inbound>> add(std::uint64_t tag, Announced& message);
  // The message that the receive meets; nothing: the receive waits.
  std::optional<Announced> add(const std::shared_ptr<Inbound>& receive);
  // One that waits, and is to wait no more.
  void remove(const std::shared_ptr<Inbound>& receive);
  // False: it does not wait here.
  bool remove_message(std::uint64_t peer_op);
  void clear();

 private:
  static constexpr std::uint64_t kOverheadBytes = 768;  // of one, about, beside its data

  Status count(Announced& message) const;

  // What waits of one tag, by numbers that count up: the oldest is found as soon as one that is
  // taken back.
  template <class Waiting>
  using Queue = std::map<std::uint64_t, Waiting>;

  const std::shared_ptr<Budget> budget_;
  const std::shared_ptr<Budget> data_budget_;  // a quarter, for those that bring their data
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, Queue<std::shared_ptr<Inbound>>> posted_;  // by tag
  std::map<std::uint64_t, Queue<Announced>> announced_;              // by tag
  // Of each message that waits, by the peer's op: its tag and number.
  std::unordered_map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> messages_;
};

}  // namespace hawser::engine
