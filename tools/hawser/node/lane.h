// One way of a GPU's data: iteration after iteration into the peer's memory, and what the peer does
// with it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <hawser/link.h>

#include "base/clock.h"
#include "memory/pattern.h"
#include "node/messenger.h"
#include "side/link_memory.h"

namespace hawser::node {

// What a lane moves. A value.
struct LaneWork {
  std::uint64_t bytes = 0;       // of an iteration
  std::uint64_t iterations = 0;  // 0: as long as `duration`
  Milliseconds duration{0};
  bool verify = true;
  std::uint64_t seed = 0;
  std::uint32_t channel = 0;  // of the pattern: one for each GPU and way

  PatternKey key(std::uint64_t iteration) const {
    return {seed, static_cast<std::uint32_t>(iteration), channel};
  }
};

struct LaneCount {
  std::uint64_t iterations = 0;
  std::uint64_t bytes = 0;
};

using SlotMemory = std::vector<LinkMemory>;  // kSlots, each for one iteration

// Fills every slot before the start: with the bytes to be sent, or so that old bytes cannot pass
// for new ones.
Status fill_slots(const LaneWork& work, SlotMemory& slots);
Status spoil_slots(const LaneWork& work, SlotMemory& slots);

// Sends until the work is done, the run is stopped, or the peer wants no more. While one iteration
// moves, the next one is filled. Used by one thread.
class SendLane {
 public:
  using Remotes = std::array<RemoteRegion, kSlots>;
  SendLane(const LaneWork& work, Messenger& messenger, SlotMemory& slots, const Remotes& remotes)
      : work_(work), messenger_(messenger), slots_(slots), remotes_(remotes) {}

  Status run();
  const LaneCount& count() const { return count_; }
  std::uint64_t asked() const { return asked_; }  // bytes: of count() and of what is under way

 private:
  bool more(std::uint64_t iteration, const Deadline& end);
  Status prepare(std::uint64_t iteration);
  void write(std::uint64_t iteration);
  Status finish(std::uint64_t iteration);
  Status await_credits(std::uint64_t count);

  const LaneWork work_;
  Messenger& messenger_;
  SlotMemory& slots_;
  const Remotes remotes_;
  std::array<Transfer, kSlots> writes_;
  std::uint64_t credits_ = 0;  // iterations that the peer is done with
  bool enough_ = false;        // the peer wants no more
  LaneCount count_;
  std::uint64_t asked_ = 0;
};

// Compares what comes, until the peer says that it was all. Used by one thread.
class ReceiveLane {
 public:
  ReceiveLane(const LaneWork& work, Messenger& messenger, SlotMemory& slots)
      : work_(work), messenger_(messenger), slots_(slots) {}

  // Wrong data is no error of this: the peer is asked to stop, and wrong() tells.
  Status run();
  const LaneCount& count() const { return count_; }
  const std::optional<Error>& wrong() const { return wrong_; }

 private:
  Status take(std::uint64_t iteration);
  Status check(std::uint64_t iteration);

  const LaneWork work_;
  Messenger& messenger_;
  SlotMemory& slots_;
  std::optional<Error> wrong_;
  LaneCount count_;
};

}  // namespace hawser::node
