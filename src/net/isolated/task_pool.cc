#include "net/isolated/task_pool.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"

namespace hawser::isolate {
namespace {

constexpr std::chrono::seconds kIdle{10};  // then a thread goes

}  // namespace

bool TaskPool::run(std::uint64_t call, std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back({call, std::move(task)});
  if (idle_ >= tasks_.size() || start_thread()) {
    changed_.notify_one();
    return true;
  }
  tasks_.pop_back();
  return false;
}

bool TaskPool::start_thread() {
  std::size_t place = started_;
  if (!free_places_.empty()) place = *free_places_.begin();
  if (place >= ControlFields::kMaxServing) return false;
  auto thread = Thread::start("hw-idle", [this, place] { loop(place); });
  if (!thread.ok()) return false;
  thread->abandon();
  if (place == started_)
    ++started_;
  else
    free_places_.erase(place);
  return true;
}

void TaskPool::loop(std::size_t place) {
  ControlFields::Serving& serving = fields_.serving[place];
  while (auto task = next()) {
    serving.thread.store(static_cast<int>(::gettid()), std::memory_order_relaxed);
    serving.call.store(task->call, std::memory_order_release);
    task->work();
    serving.call.store(0, std::memory_order_release);
    Thread::name_this("hw-idle");
  }
  const std::lock_guard lock(mutex_);
  free_places_.insert(place);
}

std::optional<TaskPool::Task> TaskPool::next() {
  std::unique_lock lock(mutex_);
  ++idle_;
  const bool some = changed_.wait_for(lock, kIdle, [this] { return !tasks_.empty(); });
  --idle_;
  if (!some) return std::nullopt;
  Task task = std::move(tasks_.front());
  tasks_.pop_front();
  return task;
}

}  // namespace hawser::isolate
