// The process of a plugin, as seen by the one that uses it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/event_fd.h"
#include "base/thread.h"
#include "net/isolated/child.h"
#include "net/isolated/control_memory.h"
#include "net/isolated/error_relay.h"
#include "net/isolated/messages.h"

namespace hawser::isolate {

struct ProcessOptions {
  std::string program;  // path of hawser-plugin-host
  // A call that is rare (all but isend, irecv, test, irecvConsumed) and takes longer is an error.
  Milliseconds call_bound{30'000};
  Milliseconds open_bound{60'000};
  // One of the data path that has not come back for so long hangs: it is never to block. 0: as
  // HAWSER_ISOLATE_HANG_MS says.
  Milliseconds data_call_bound{0};
  Milliseconds close_bound{5'000};  // then the process is killed
};

struct Answer {
  Reply reply;
  std::string text;
};

// Somebody who hears when the process has ended, or hangs in a call of his thread there. Called by
// the process's watcher; thread-safe.
class Watched {
 public:
  virtual ~Watched() = default;
  virtual int driver_thread() const = 0;
  virtual void fail(const Error& error) = 0;
};

// Thread-safe. No call waits longer than its bound, whatever the plugin does. When the process has
// ended, every call fails with how it did.
class PluginProcess {
 public:
  static Result<std::shared_ptr<PluginProcess>> start(const ProcessOptions& options,
                                                      const Settings& settings);
  // Asks it to close everything; kills it where that takes too long.
  ~PluginProcess();
  PluginProcess(const PluginProcess&) = delete;
  PluginProcess& operator=(const PluginProcess&) = delete;

  // The answer to `open`: once, first.
  Result<Answer> opened();
  // Asks, and waits for the answer.
  Result<Answer> ask(const HostCall& request);
  // The same in two steps; the second never waits. Nothing: not yet.
  Result<std::uint64_t> begin(const HostCall& request, std::span<const int> descriptors);
  std::optional<Result<Answer>> answer(std::uint64_t call);
  void forget(std::uint64_t call);
  // What is not answered.
  void tell(const HostCall& request);

  std::uint32_t next_number() { return next_number_.fetch_add(1, std::memory_order_relaxed); }
  std::optional<Error> failure() const;
  void set_name(const std::string& name);

  // Whoever is added while it has ended already hears at once.
  void add(Watched& watched);
  void remove(Watched& watched);

  std::shared_ptr<const CallJournal> journal() const { return {control_, &control_->journal()}; }
  pid_t pid() const { return child_.pid(); }

 private:
  struct Pending {
    TimePoint since;
    Milliseconds bound;  // of one call of the plugin that serves it
    std::optional<Result<Answer>> result;
  };

  PluginProcess(const ProcessOptions& options, UniqueFd socket, EventFd bell, Child child,
                std::unique_ptr<ErrorRelay> errors, std::shared_ptr<ControlMemory> control,
                std::string name);
  Result<std::uint64_t> send(HostCall request, const std::string& text,
                             std::span<const int> descriptors);
  Result<Answer> wait(std::uint64_t call, Milliseconds bound);
  Error no_answer(std::uint64_t call, Milliseconds bound);

  Status start_watcher();
  void watch();
  int tick_ms();
  bool take_reply();
  void look_for_hangs();
  bool is_ending();
  void end();
  void await_end_of_child();
  void fail_all(const Error& error);
  void shut_down();

  const ProcessOptions options_;
  const UniqueFd socket_;
  const EventFd bell_;  // wakes the watcher
  Child child_;         // of the watcher, after the start; so is the next
  const std::unique_ptr<ErrorRelay> errors_;
  const std::shared_ptr<ControlMemory> control_;
  std::atomic<std::uint32_t> next_number_{1};
  std::atomic<bool> stopping_{false};
  std::uint64_t open_call_ = 0;
  std::optional<TimePoint> ending_since_;  // of the watcher
  mutable std::mutex mutex_;               // guards what follows
  std::condition_variable changed_;
  std::string name_;
  std::uint64_t next_call_ = 1;
  std::map<std::uint64_t, Pending> pending_;
  std::vector<Watched*> watched_;
  std::optional<Error> failure_;
  Thread watcher_;  // last: it uses the others
};

}  // namespace hawser::isolate
