// Which calls into a plugin are in progress, in which thread, since when: so that a deadline or
// an exit() inside a plugin does not leave the user without an explanation.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "memory/range.h"

namespace hawser {

// The arguments of a call that are worth telling. A value; `entry` must be a literal.
struct CallNote {
  const char* entry = "";
  int device = -1;  // -1: of no device
  const void* pointer = nullptr;
  std::uint64_t bytes = 0;
  bool has_memory = false;  // tell pointer and bytes
  bool has_kind = false;    // tell kind
  MemoryKind kind = MemoryKind::host;
};

// Writes "regMr(pointer=0x7f00, bytes=4096, kind=host) on device 0" and a zero byte; cut off where
// it does not fit. Returns the length. Async-signal-safe.
std::size_t format_call(const CallNote& note, char* to, std::size_t room);
std::string call_text(const CallNote& note);

// A call in progress.
struct CurrentCall {
  std::string plugin;
  std::string entry;              // "regMr"
  std::string detail;             // "regMr(pointer=0x7f00, bytes=4096, kind=host) on device 0"
  std::string label;              // what the thread was doing: "channel 1"; may be empty
  int thread = 0;                 // gettid()
  std::int64_t milliseconds = 0;  // in progress for so long
};

// "stuck in regMr(...) on device 0 for channel 1 of plugin X, for 30.0 s"
std::string describe(const CurrentCall& call);

// What CallLabel has set for this thread; empty where there is none.
std::string current_call_label();

// Names what this thread works on, for the calls it makes; ends with the scope.
class CallLabel {
 public:
  explicit CallLabel(const char* label);  // copied, cut at kMaxBytes
  ~CallLabel();
  CallLabel(const CallLabel&) = delete;
  CallLabel& operator=(const CallLabel&) = delete;

  static constexpr std::size_t kMaxBytes = 31;

 private:
  std::array<char, kMaxBytes + 1> previous_;
};

// Thread-safe and lock-free: notes are slots of atomics, at most kMaxCalls at a time; calls beyond
// that are made unnoted and counted. No allocation in begin() and end(). What it holds has no
// pointers in it, so it may lie in memory that another process reads: also after a death.
class CallJournal {
 public:
  static constexpr std::size_t kMaxCalls = 256;

  CallJournal();
  // In memory_bytes() of memory that were zero at first, aligned to 64, that outlive it. One
  // process makes calls; journals of others in the same memory read, and believe nothing that they
  // find.
  explicit CallJournal(void* memory);
  static std::size_t memory_bytes();
  ~CallJournal();
  CallJournal(const CallJournal&) = delete;
  CallJournal& operator=(const CallJournal&) = delete;

  // `plugin` must outlive the call, and should live as long as the process.
  std::size_t begin(const char* plugin, const CallNote& note);
  void end(std::size_t slot);

  std::vector<CurrentCall> current_calls() const;
  // From now on, and as long as it lives, current_calls() tells of the other's calls, too.
  void include(std::weak_ptr<const CallJournal> other);
  std::uint64_t unnoted_calls() const { return unnoted_.load(std::memory_order_relaxed); }

  // One line per call in progress to `fd`, without those of others. Async-signal-safe.
  void write_current_calls(int fd) const;

  // From now on, and till this journal goes, an exit() of the process inside one of its calls is
  // explained on stderr (net/hosted/exit_explainer.h).
  void explain_exits();

  // In an exit handler: whether any call is in progress; the plugin that this thread is in a call
  // of, or nothing; a line per call, which says whose thread it is in.
  bool busy() const;
  std::string plugin_called_by_this_thread() const;
  void write_calls_at_exit(int fd) const;

 private:
  struct Slot;
  struct Memory;
  struct Reading;
  std::size_t take_slot();
  std::uint32_t name_index(const char* plugin);
  std::uint32_t add_name(const char* plugin);
  bool read(const Slot& slot, Reading& reading) const;
  void add_own_calls(std::vector<CurrentCall>& calls) const;
  static void write_line(int fd, const Reading& reading, const char* doing, const char* detail);

  static constexpr std::size_t kMaxNames = 8;  // of plugins; the last stands for all further ones

  std::unique_ptr<Memory> own_;  // where it was given none
  Memory* memory_;
  // Which names the memory has, as this process's callers spell them. Filled from the front.
  std::array<std::atomic<const char*>, kMaxNames> names_{};
  std::atomic<std::uint64_t> unnoted_{0};  // a count, publishes nothing
  mutable std::mutex mutex_;               // guards adding names, and included_
  std::vector<std::weak_ptr<const CallJournal>> included_;
};

// One call, from construction to destruction.
class JournaledCall {
 public:
  JournaledCall(CallJournal& journal, const char* plugin, const CallNote& note)
      : journal_(journal), slot_(journal.begin(plugin, note)) {}
  ~JournaledCall() { journal_.end(slot_); }
  JournaledCall(const JournaledCall&) = delete;
  JournaledCall& operator=(const JournaledCall&) = delete;

 private:
  CallJournal& journal_;
  std::size_t slot_;
};

}  // namespace hawser
