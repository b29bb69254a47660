// A descriptor by which one thread wakes another that sleeps in poll(2) or epoll.
#pragma once

#include "base/fd.h"
#include "base/result.h"

namespace hawser {

// Readable from notify() to clear(). Neither blocks nor fails; both may be called from any thread,
// at any time, and in a signal handler. What the waker has written before notify() must reach the
// sleeper by other means (an atomic, a mutex): this orders nothing. Move-only.
class EventFd {
 public:
  static Result<EventFd> make();  // Code::system: no descriptor is to be had

  EventFd() = default;                                   // none: notify() and clear() do nothing
  explicit EventFd(UniqueFd fd) : fd_(std::move(fd)) {}  // another process made it

  void notify() const;
  void clear() const;
  // The other way round, for who waits until it can be written: not so from fill() to clear().
  void fill() const;

  int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
};

}  // namespace hawser
