#include "base/bounded.h"

#include <condition_variable>
#include <memory>
#include <mutex>

#include "base/thread.h"

namespace hawser {
namespace {

// Shared by the thread and whoever waits for it, whichever lives longest.
struct Return {
  std::mutex mutex;  // guards back
  std::condition_variable changed;
  bool back = false;
};

void run(std::function<void()>& work, Return& state) {
  work();
  work = nullptr;
  const std::lock_guard lock(state.mutex);
  state.back = true;
  state.changed.notify_all();
}

}  // namespace

Result<bool> run_bounded(std::function<void()> work, Milliseconds give_up) {
  const auto state = std::make_shared<Return>();
  HAWSER_ASSIGN(Thread thread,
                Thread::start("hw-bounded",
                              [state, work = std::move(work)]() mutable { run(work, *state); }));
  thread.abandon();
  std::unique_lock lock(state->mutex);
  return state->changed.wait_for(lock, give_up, [&] { return state->back; });
}

}  // namespace hawser
