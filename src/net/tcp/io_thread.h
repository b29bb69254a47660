// A thread that drives flows: as long as there is something to do it works, then it looks on for a
// moment, then it sleeps in epoll until a socket or a kick wakes it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "base/event_fd.h"
#include "base/fd.h"
#include "base/result.h"
#include "base/thread.h"
#include "net/tcp/io_task.h"

namespace hawser::tcp {

struct IoThreadOptions {
  int index = 0;                   // for its name
  std::vector<int> cpus;           // where it may run; empty: as its creator
  std::chrono::microseconds spin;  // looks on for so long before it sleeps
};

// attach(), detach() and kick() may be called from any thread. Outlives what is attached to it.
class IoThread {
 public:
  static Result<std::unique_ptr<IoThread>> start(const IoThreadOptions& options);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // From now on this thread, and no other, drives it, whenever `fd` can be read or written.
  Status attach(IoTask& driven, int fd);
  // When it is back, this thread does not touch it any more. `fd` is still open.
  void detach(IoTask& driven, int fd);
  // There is something to do for it.
  void kick(IoTask& driven);
  // Whether it would have to be woken, which takes longer than a small piece of work.
  bool asleep() const { return asleep_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kMaxEvents = 64;

  IoThread(const IoThreadOptions& options, UniqueFd epoll, EventFd bell);
  void run();
  void settle_in() const;
  void take_inbox();
  void take_events(int timeout_ms);
  void drive_all();
  static IoTask::Wait drive(IoTask& driven) noexcept;
  void activate(IoTask& driven);
  void let_go(IoTask& driven);
  void rest();

  const IoThreadOptions options_;
  const UniqueFd epoll_;
  const EventFd bell_;                   // in epoll_, and never cleared: that is edge-triggered
  std::atomic<IoTask*> inbox_{nullptr};  // a stack; publishes what the kicker did before
  std::atomic<bool> asleep_{false};      // set before a last look at the inbox
  std::atomic<bool> stopping_{false};
  IoTask* active_ = nullptr;  // a list; of the thread alone
  std::chrono::steady_clock::time_point busy_until_{};
  std::mutex mutex_;  // guards departures
  std::condition_variable departure_;
  Thread thread_;  // last: it uses the others
};

}  // namespace hawser::tcp
