#include "base/bounded.h"

#include <fmt/core.h>
#include <pthread.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

namespace hawser {
namespace {

// Shared by the thread and whoever waits for it, whichever lives longest.
struct Return {
  std::mutex mutex;  // guards back
  std::condition_variable changed;
  bool back = false;
};

void run(std::function<void()> work, Return& state) {
  pthread_setname_np(pthread_self(), "hw-bounded");
  work();
  work = nullptr;
  const std::lock_guard lock(state.mutex);
  state.back = true;
  state.changed.notify_all();
}

}  // namespace

Result<bool> run_bounded(std::function<void()> work, Milliseconds give_up) {
  const auto state = std::make_shared<Return>();
  try {
    std::thread([state, work = std::move(work)]() mutable {
      run(std::move(work), *state);
    }).detach();
  } catch (const std::system_error& error) {
    return Error(
        Code::system,
        fmt::format("no thread to be had: {}; see 'ulimit -u' and the memory limit", error.what()));
  }
  std::unique_lock lock(state->mutex);
  return state->changed.wait_for(lock, give_up, [&] { return state->back; });
}

}  // namespace hawser
