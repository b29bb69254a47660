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
  void add(std::string text, Budget::Share share = {});
  std::optional<std::string> take();  // the oldest
  bool any() const { return count_.load(std::memory_order_relaxed) > 0; }

  // A write of the peer that has one, which is there when all its bytes are; either may be heard of
  // first. Some of it is about to land. `room`: for so many whose beginning has not come.
  // Code::protocol: there are more.
  Status expect(std::uint64_t write, std::uint64_t room);
  // True: it is there now. Code::protocol: it has begun before.
  Result<bool> begin(std::uint64_t write, std::uint64_t total, std::string text,
                     Budget::Share share = {});
  // Of one that is expected, or has begun.
  bool landed(std::uint64_t write, std::uint64_t bytes);
  // True: it had begun, and had not come.
  bool withdraw(std::uint64_t write);
  // No write goes on; what has come can still be taken.
  void end_writes();

 private:
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
  using Writes = std::unordered_map<std::uint64_t, Write>;  // by the peer's op
  bool finish_if_landed(Writes::iterator write);
  void push(Text text);

  Writes writes_;
  std::size_t not_begun_ = 0;  // of them
  std::deque<Text> waiting_;
  // How many: whoever looks in a loop takes no lock for it. Publishes nothing. In a cache line of
  // its own, for the sake of who works meanwhile.
  alignas(64) std::atomic<std::size_t> count_{0};
};

}  // namespace hawser::engine
