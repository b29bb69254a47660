// Notifications that have come, and those that wait for the data that they follow.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/budget.h"
#include "base/result.h"

namespace hawser::engine {

// Guarded by the mutex of whoever owns it, but for any().
class Notifications {
 public:
  // Code::peer: too many have come that nobody takes.
  Status add(std::string text, Budget::Share share = {});
  std::optional<std::string> take();  // the oldest
  bool any() const { return count_.load(std::memory_order_relaxed) > 0; }

  // A write of the peer that has one, which is there when all its bytes are; either may be heard of
  // first. True: it is there now. Code::protocol: too many at a time; Code::peer: as above.
  Result<bool> begin(std::uint64_t write, std::uint64_t total, std::string text,
                     Budget::Share share = {});
  bool landed(std::uint64_t write, std::uint64_t bytes);
  void withdraw(std::uint64_t write) { writes_.erase(write); }
  // No write goes on; what has come can still be taken.
  void end_writes() { writes_.clear(); }

 private:
  static constexpr std::size_t kMaxWaiting = 65536;  // not taken
  static constexpr std::size_t kMaxWrites = 1 << 20;

  // And what it takes of the peer's budget.
  struct Text {
    std::string text;
    Budget::Share share;
  };
  struct Write {
    bool begun = false;
    std::uint64_t total = 0;
    std::uint64_t landed = 0;
    Text notification;
  };
  Status check_room() const;
  bool finish_if_landed(std::uint64_t write);
  void push(Text text);

  std::unordered_map<std::uint64_t, Write> writes_;  // by the peer's op
  std::deque<Text> waiting_;
  // How many: whoever looks in a loop takes no lock for it. Publishes nothing. In a cache line of
  // its own, for the sake of who works meanwhile.
  alignas(64) std::atomic<std::size_t> count_{0};
};

}  // namespace hawser::engine
