// What there is of a plugin's library once in a process, however many Nets host it.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/hosted/call_journal.h"

namespace hawser {

// Calls of a plugin that must not overlap: one at a time. A call may hang for as long as it likes
// (one that asks a receive manager which does not answer, say), so nobody waits for ever: who has
// asked for kPatience gets an error that names the call. Thread-safe.
class CreationTurn {
 public:
  static constexpr Milliseconds kPatience{10'000};

  explicit CreationTurn(const Clock& clock = Clock::system()) : clock_(clock) {}

  // Never blocks. False: another call has it, ask again. The error is Code::timeout.
  Result<bool> try_take(const char* plugin, const CallNote& call);
  // Waits for it.
  Status take(const char* plugin, const CallNote& call);
  void give_back();

 private:
  struct Holder {
    std::string call;
    int thread = 0;
    TimePoint since;
  };
  Error stuck_locked(const char* plugin, const CallNote& call) const;

  const Clock& clock_;
  std::mutex mutex_;  // guards what follows
  std::optional<Holder> holder_;
};

// Gives the turn back. Of one that was not taken: does nothing.
class TakenTurn {
 public:
  explicit TakenTurn(CreationTurn* turn) : turn_(turn) {}
  ~TakenTurn() {
    if (turn_ != nullptr) turn_->give_back();
  }
  TakenTurn(const TakenTurn&) = delete;
  TakenTurn& operator=(const TakenTurn&) = delete;

 private:
  CreationTurn* const turn_;
};

// Thread-safe. Lives as long as the process, as the library does.
class ProcessPlugin {
 public:
  // `table` tells plugins apart.
  static ProcessPlugin& of(const void* table);

  // Up to v10 a plugin is initialised once for as long as its library is loaded, which here is for
  // ever: the second Net of the same plugin must not do it again. `init` is called till it
  // succeeds.
  template <class Init>
  Status init_once(Init&& init) {
    const std::lock_guard lock(mutex_);
    if (initialised_) return {};
    HAWSER_TRY(init());
    initialised_ = true;
    return {};
  }

  CreationTurn& creation_turn() { return creation_turn_; }

  // A listen comm that cannot be closed: who looks for leaks sees that it is kept.
  void leave_open(void* comm) {
    const std::lock_guard lock(mutex_);
    left_open_.push_back(comm);
  }

 private:
  std::mutex mutex_;  // guards what follows
  bool initialised_ = false;
  std::vector<void*> left_open_;
  CreationTurn creation_turn_;
};

}  // namespace hawser
