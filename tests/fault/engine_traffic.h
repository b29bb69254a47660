// The client's side of the engine's fault tests: traffic that is verified on both sides, and a peer
// in a process of its own.
#pragma once

#include <hawser/engine.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "fault/peer/traffic.h"
#include "support/subprocess.h"

namespace hawser::test {

// What both sides get.
struct FaultSetup {
  std::string netns;       // of the peer; empty: ours
  std::string address;     // of the peer
  int port = 20'000;       // likewise
  std::string devices;     // a comma list
  int channels_per_device = 1;
  int stall_ms = 500;
  int peer_silence_ms = 4000;
  int retry_ms = 100;

  EngineOptions engine() const;
  LinkOptions link() const;
};

// A process that serves links.
class FaultPeer {
 public:
  explicit FaultPeer(const FaultSetup& setup);

  Subprocess& process() { return process_; }
  void wait_ready() { process_.wait_for_output("listening"); }

 private:
  Subprocess process_;
};

// Writes each slot anew again and again, waits for the peer's verdict, reads it back and verifies.
// A thread of its own; the rest from one other.
class EngineTraffic {
 public:
  EngineTraffic(Engine& engine, Link link);
  ~EngineTraffic();
  EngineTraffic(const EngineTraffic&) = delete;
  EngineTraffic& operator=(const EngineTraffic&) = delete;

  // Steps that have ended well.
  std::uint64_t steps() const { return steps_.load(); }
  // The longest time without one, since the last call.
  Milliseconds longest_gap();
  // Waits until so many more steps have ended; false: not within the time, or it has failed.
  bool wait_steps(std::uint64_t more, Milliseconds patience);
  // The first thing that went wrong: bytes, or a transfer.
  std::optional<Error> failure() const;
  // Waits for that.
  std::optional<Error> wait_failure(Milliseconds patience) const;

 private:
  enum class Step { idle, writing, reading };
  struct Slot {
    Step step = Step::idle;
    SlotRound at;
    Transfer transfer;
    bool verdict = false;  // the peer's
  };

  Status get_token();
  void loop();
  Status look_at(Slot& slot, bool& moved);
  Status take_verdicts();
  void stepped();

  const Link link_;
  std::vector<std::byte> memory_;  // to write from, then to read into
  Region region_;
  std::vector<std::byte> token_;
  Region token_region_;
  RemoteRegion remote_;
  std::array<Slot, kTrafficSlots> slots_;
  std::atomic<std::uint64_t> steps_{0};
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;  // guards what follows
  std::optional<Error> failure_;
  TimePoint stepped_at_ = Clock::system().now();
  std::chrono::nanoseconds longest_gap_{0};
  std::thread thread_;  // last: it uses the others
};

// A number from the environment: how often a test repeats itself.
int rounds_of_test(int usual);
// Until it is so, or the time is over.
template <class Condition>
bool wait_until(Milliseconds patience, Condition&& condition) {
  const Deadline deadline = Deadline::after(patience);
  for (Backoff backoff; !deadline.expired(); backoff.idle())
    if (condition()) return true;
  return condition();
}
std::size_t channels_up(const LinkReport& report);
std::string describe(const LinkReport& report);

}  // namespace hawser::test
