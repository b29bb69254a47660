// A program that was started, till its end.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace hawser::isolate {

// How a process ended, as the kernel tells it; neither where somebody else has waited for it.
struct ChildEnd {
  std::optional<int> exit_status;
  std::optional<int> signal;
};

// Not thread-safe but for kill(). Other children of this process are not touched, whatever it does
// about SIGCHLD. Destroying it kills the program.
class Child {
 public:
  // With `socket` as its descriptor 3, `errors` (not 0 to 3) as 2 and 1, and no others but 0. Not
  // forked: the threads and the GPU of this process are never in it.
  static Result<Child> start(const std::string& program, int socket, int errors);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }  // can be read when it has ended; or -1
  void kill(int signal) const;
  // Nothing: it goes on.
  std::optional<ChildEnd> wait(Milliseconds at_most);

 private:
  Child(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  std::optional<ChildEnd> poll();

  pid_t pid_;
  UniqueFd pidfd_;  // not valid where the kernel has none
  std::optional<ChildEnd> end_;
};

}  // namespace hawser::isolate
