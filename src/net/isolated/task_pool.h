// Threads for calls that may never come back.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <set>

#include "net/isolated/control_memory.h"

namespace hawser::isolate {

// Each task has a thread for itself as soon as there is one, so none waits for another that hangs;
// at most ControlFields::kMaxServing. Thread-safe. Lives as long as the process: its threads may be
// in a plugin for ever.
class TaskPool {
 public:
  explicit TaskPool(ControlFields& fields) : fields_(fields) {}

  // False: no thread is to be had. `call` is what the task serves, as ControlFields tells it.
  bool run(std::uint64_t call, std::function<void()> task);

 private:
  struct Task {
    std::uint64_t call;
    std::function<void()> work;
  };
  bool start_thread();
  void loop(std::size_t place);
  std::optional<Task> next();

  ControlFields& fields_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::size_t idle_ = 0;
  std::size_t started_ = 0;
  std::set<std::size_t> free_places_;
};

}  // namespace hawser::isolate
