// The thread of the control plane: who comes in, who has gone, and what time it is.
#pragma once

#include <poll.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/event_fd.h"
#include "base/result.h"
#include "base/thread.h"
#include "engine/control_line.h"
#include "engine/link_core.h"

namespace hawser::engine {

// Somebody that the reactor polls. One thread at a time calls it.
class Polled {
 public:
  virtual ~Polled() = default;
  // Descriptors that it waits for; asked before each sleep.
  struct Interest {
    int fd = -1;
    bool write = false;
  };
  virtual void interests(std::vector<Interest>& into) = 0;
  // Time has passed; `ready`: one of its descriptors called, or it has just been added. False: it
  // has ended, and is let go.
  virtual bool poll(TimePoint now, bool ready) = 0;
};

// Thread-safe.
class Reactor {
 public:
  static Result<std::unique_ptr<Reactor>> start();
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  void add(std::shared_ptr<Polled> polled);
  // The links that have been added and have not ended.
  void add_link(std::shared_ptr<LinkCore> link, std::shared_ptr<ControlLine> control,
                Milliseconds peer_silence);
  std::vector<std::shared_ptr<LinkCore>> links() const;

 private:
  struct Watched {
    std::shared_ptr<Polled> polled;
    bool ready = true;
    std::size_t interests = 0;  // how many it has
  };

  explicit Reactor(EventFd bell) : bell_(std::move(bell)) {}
  void loop();
  void take_arrived();
  void sleep();
  void look_at_all(int err);

  const EventFd bell_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;  // guards what follows
  std::vector<std::shared_ptr<Polled>> arriving_;
  std::vector<std::weak_ptr<LinkCore>> links_;
  std::vector<Watched> watched_;             // of the thread, as what follows
  std::vector<Polled::Interest> interests_;  // of all of them, in their order
  std::vector<pollfd> descriptors_;
  bool told_ = false;  // that it cannot wait for them
  Thread thread_;      // last: it uses the others
};

}  // namespace hawser::engine
