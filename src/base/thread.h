// The one way in which this library starts a thread.
#pragma once

#include <pthread.h>

#include <functional>
#include <string>

#include "base/clock.h"
#include "base/fork.h"
#include "base/result.h"

namespace hawser {

// A thread with a name, which hears no signal of the host program: all are blocked in it but those
// that its own faults raise (SIGSEGV, SIGABRT and the like), so that the program's crash handlers
// still see these. Move-only; not thread-safe. Joined when it goes, unless it was left behind: as
// a member it stands last, since it uses the others, and its owner's destructor calls it back
// first. A child of fork() has no such thread: its copies have ended.
class Thread {
 public:
  // Code::system: no thread is to be had; the message says which limits to look at. Nothing is
  // thrown. Of the name, which begins with "hw-", 15 bytes are kept. An exception that leaves
  // `work` ends the process.
  static Result<Thread> start(const std::string& name, std::function<void()> work);

  Thread() = default;
  Thread(Thread&& other) noexcept;
  Thread& operator=(Thread&& other) noexcept;  // joins the one that it was
  ~Thread() { join(); }

  // Whether there is one to be joined.
  bool running() const { return running_ && !mark_.inherited(); }
  // Waits till the work is done; nothing where there is none.
  void join();
  // False: it is not done yet, and can be waited for again, or abandoned.
  bool join_within(const Deadline& deadline);
  // Leaves it to itself: whatever it may still touch must stay alive, for good if it hangs.
  void abandon();

  // Renames the calling thread.
  static void name_this(const std::string& name);

 private:
  explicit Thread(pthread_t handle) : handle_(handle), running_(true) {}

  pthread_t handle_{};
  bool running_ = false;
  ForkMark mark_;  // of the process that has it
};

}  // namespace hawser
