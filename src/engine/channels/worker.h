// A thread that drives channels.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/event_fd.h"
#include "base/fd.h"
#include "base/result.h"
#include "base/thread.h"
#include "engine/channels/link_channel.h"
#include "memory/page_file.h"

namespace hawser::engine {

struct WorkerOptions {
  std::string name;                   // of the thread: at most 15 characters
  std::vector<int> cpus;              // where it may run; empty: anywhere
  std::chrono::microseconds spin{0};  // how long it looks on before it sleeps
};

// It works while there is something to do, looks on for a little, and sleeps until a socket or
// somebody wakes it. Channels without descriptors to wait for are looked at again and again, more
// and more seldom. Thread-safe.
class Worker {
 public:
  static Result<std::unique_ptr<Worker>> start(WorkerOptions options);
  ~Worker();  // channels must have been closed; waits for its thread
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void add(std::shared_ptr<LinkChannel> channel);
  void kick(LinkChannel& channel);
  // Runs it in this thread, soon, between two looks at the channels, which it is given.
  using Channels = std::vector<std::shared_ptr<LinkChannel>>;
  void run(std::function<void(const Channels&)> work);
  // Whoever waited for such work in vain says so: a call of a plugin's may hang in this thread. It
  // holds until the thread takes work again.
  void note_silence() { silent_.store(true, std::memory_order_relaxed); }
  bool silent() const { return silent_.load(std::memory_order_relaxed); }
  // Tells the thread to end, without waiting, and waits for that. False: a call hangs in it.
  void call_back();
  bool join_within(const Deadline& deadline) { return thread_.join_within(deadline); }
  // Leaves such a thread behind, and never lets go of what it may still touch: `all`, of which this
  // worker is a part.
  void abandon(std::shared_ptr<void> all);
  // For the copies that its channels make of memory that may vanish: writes to a file wait for each
  // other, so each worker has its own. May be null.
  const std::shared_ptr<PageFile>& page_file() const { return page_file_; }
  // A channel will come: it counts as one from now on.
  void reserve() { load_.fetch_add(1, std::memory_order_relaxed); }
  int load() const { return load_.load(std::memory_order_relaxed); }  // channels

 private:
  struct Driven {
    std::shared_ptr<LinkChannel> channel;
    LinkChannel::Waits waits;
    bool active = true;
    bool armed_out = false;
    bool registered = false;
    TimePoint moved_at{};
    TimePoint looked_at{};
  };

  Worker(WorkerOptions options, UniqueFd epoll, EventFd bell);
  void loop();
  void take_inbox();
  bool drive_all();
  void drive(Driven& driven, TimePoint now, bool& moved);
  void settle(Driven& driven);
  void watch(int fd, std::uint32_t events, Driven& driven, int operation);
  void stop_watching(const LinkChannel::Waits& waits);
  void rest(bool moved);

  const WorkerOptions options_;
  const UniqueFd epoll_;
  const EventFd bell_;  // in epoll_
  const std::shared_ptr<PageFile> page_file_ = PageFile::create_if_possible();
  // Who brings something sets a channel's `kicked`, or has_mail_, and then looks at this; the
  // thread sets this, and then looks at those. All four are sequentially consistent, so one of the
  // two sees the other: nobody sleeps over work.
  std::atomic<bool> asleep_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<int> load_{0};
  std::atomic<bool> has_mail_{false};  // the lock publishes what it is
  std::atomic<bool> silent_{false};
  std::mutex mutex_;  // guards the inbox: the next two
  std::vector<std::unique_ptr<Driven>> arriving_;
  std::vector<std::function<void(const Channels&)>> work_;
  std::vector<std::unique_ptr<Driven>> channels_;  // of the thread
  bool any_active_ = false;
  bool any_copying_ = false;
  bool any_polling_ = false;
  bool any_timing_ = false;
  int idle_rounds_ = 0;
  std::shared_ptr<void> kept_;  // once it was abandoned
  Thread thread_;               // last: it uses the others
};

}  // namespace hawser::engine
