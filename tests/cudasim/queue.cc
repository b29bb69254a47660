#include "queue.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace cudasim {

void Pace::set_delay_us(unsigned delay_us) {
  const std::lock_guard lock(mutex_);
  delay_us_ = delay_us;
}

void Pace::hold(bool hold) {
  const std::lock_guard lock(mutex_);
  held_ = hold;
  changed_.notify_all();
}

void Pace::delay() {
  std::unique_lock lock(mutex_);
  const std::chrono::microseconds pause(delay_us_);
  lock.unlock();
  if (pause.count() > 0) std::this_thread::sleep_for(pause);
}

void Pace::wait_if_held() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !held_; });
}

Queue::~Queue() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }
  if (worker_.joinable()) worker_.join();
}

void Queue::submit(Work work) {
  const std::lock_guard lock(mutex_);
  work_.push_back(std::move(work));
  if (!worker_.joinable()) worker_ = std::thread([this] { run(); });
  changed_.notify_all();
}

bool Queue::idle() {
  const std::lock_guard lock(mutex_);
  return work_.empty();
}

void Queue::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return work_.empty(); });
}

void Queue::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stop_ || !work_.empty(); });
    if (work_.empty()) return;
    lock.unlock();
    pace_.delay();
    lock.lock();
    while (!work_.empty()) {
      Work& next = work_.front();
      lock.unlock();
      next();
      lock.lock();
      work_.pop_front();
    }
    changed_.notify_all();
  }
}

std::uint64_t Event::record() {
  const std::lock_guard lock(mutex_);
  return ++recorded_;
}

std::uint64_t Event::recorded() {
  const std::lock_guard lock(mutex_);
  return recorded_;
}

void Event::wait_for(std::uint64_t ticket) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this, ticket] { return finished_ >= ticket; });
}

void Event::finish(std::uint64_t ticket) {
  const std::lock_guard lock(mutex_);
  finished_ = std::max(finished_, ticket);
  changed_.notify_all();
}

bool Event::ready() {
  const std::lock_guard lock(mutex_);
  return finished_ == recorded_;
}

void Event::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return finished_ == recorded_; });
}

}  // namespace cudasim
