// What the threads of a node share: whether to go on, who the peer is, and the common start.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "node/message.h"

namespace hawser::node {

// What the two sides have settled.
struct Settled {
  Plan plan;   // the server's
  Hello peer;  // whoever is at the other end
};

// Thread-safe.
class Board {
 public:
  explicit Board(std::size_t gpus) : missing_(gpus) {}

  // End early, in good order: what is under way ends, and the reports are exchanged.
  void stop();
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }

  // The whole run is of no use any more; the first reason counts.
  void call_off(const Error& reason);
  std::optional<Error> called_off() const;

  // All links of a node go to one process: the first one that is claimed. Code::peer: another.
  Status claim_peer(std::uint64_t process);

  // What one GPU has settled, which all must have alike, but for the GPU's number. True: it is the
  // first one. Code::protocol: it is something else than the first one's.
  Result<bool> settle(const Settled& settled);
  std::optional<Settled> settled() const;

  // Each GPU says once that it is ready, or has failed ...
  void arrive();
  // ... and then waits for the others, until the run is stopped or called off.
  void wait_for_all();
  TimePoint start() const;  // when the last one had arrived; now, where one has not

  // Lines for the user, from any thread to the one that prints.
  void note(std::string line);
  std::vector<std::string> take_notes();

 private:
  mutable std::mutex mutex_;  // guards all below but stopping_
  std::condition_variable changed_;
  std::size_t missing_;
  std::optional<TimePoint> start_;
  std::optional<Error> called_off_;
  std::uint64_t peer_ = 0;
  std::optional<Settled> settled_;
  std::vector<std::string> notes_;
  std::atomic<bool> stopping_{false};  // publishes nothing but itself
};

// The arrival of one GPU, at the latest when this goes.
class Arrival {
 public:
  explicit Arrival(Board& board) : board_(board) {}
  ~Arrival() { now(); }
  Arrival(const Arrival&) = delete;
  Arrival& operator=(const Arrival&) = delete;
  void now() {
    if (!arrived_) board_.arrive();
    arrived_ = true;
  }

 private:
  Board& board_;
  bool arrived_ = false;
};

}  // namespace hawser::node
