// A few threads that do one thing together, time after time.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/thread.h"

namespace hawser {

// The threads are made once, so that a timed part makes none. The caller is member 0: a crew of
// one has no other thread. run() is called by one thread at a time.
class Crew {
 public:
  using Task = std::function<Status(int member)>;

  // Code::system: no threads to be had.
  static Result<std::unique_ptr<Crew>> make(int members);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  int members() const { return members_; }
  // Runs `task` once per member, all at a time; back when every one is. The first error.
  Status run(const Task& task);

 private:
  explicit Crew(int members) : members_(members) {}
  Status start();
  void work(int member);
  void finish(Status done);

  const int members_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable called_, done_;
  const Task* task_ = nullptr;
  unsigned round_ = 0;
  int busy_ = 0;
  bool ending_ = false;
  std::optional<Error> error_;

  std::vector<Thread> threads_;  // last: they use the others
};

}  // namespace hawser
