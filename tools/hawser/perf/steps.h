// How many messages a repeat needs.
#pragma once

#include <cstdint>

namespace hawser {

// A repeat shall last about `duration_ns`, and move no more than `bytes_limit` per channel
// (0: any number), but one message at least. Pure; of one kind of traffic and one size.
class Calibration {
 public:
  Calibration(std::uint64_t message_bytes, std::uint64_t duration_ns, std::uint64_t bytes_limit);

  // What to try next, until settled(): then what a repeat has.
  std::uint64_t messages() const { return messages_; }
  bool settled() const { return settled_; }
  // messages() took so long.
  void took(std::uint64_t elapsed_ns);

  static constexpr int kMaxTries = 8;

 private:
  std::uint64_t duration_ns_;
  std::uint64_t most_;
  std::uint64_t messages_;
  int tries_ = 0;
  bool settled_ = false;
};

// Messages before the clock starts: enough for the caches, the windows and the congestion control
// to be where they stay.
std::uint64_t warmup_of(std::uint64_t messages);

}  // namespace hawser
