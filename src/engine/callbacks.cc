#include "engine/callbacks.h"

#include <cxxabi.h>
#include <fmt/core.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <utility>

#include "base/log.h"
#include "engine/operations/transfer_state.h"

namespace hawser::engine {
namespace {

// Set when exit() has begun: what a callback would use may be gone. Publishes nothing: one that has
// just begun goes on.
std::atomic<bool> process_exits{false};

// Handlers run in the reverse order of their registration: before the destructors of all statics
// that were there when the first engine was made.
void notice_exit() {
  static const int registered =
      std::atexit([] { process_exits.store(true, std::memory_order_relaxed); });
  static_cast<void>(registered);
}

thread_local const Callbacks* callbacks_of_this_thread = nullptr;

}  // namespace

// A thread's turn with one callback. Also one that ends in it: an interpreter that is being shut
// down ends, by pthread_exit(), whoever asks for its lock. Nothing can be called any more then.
class Callbacks::Turn {
 public:
  explicit Turn(Callbacks& all) : all_(all) { callbacks_of_this_thread = &all; }
  ~Turn() {
    callbacks_of_this_thread = nullptr;
    if (over_) return;
    Lock lock(all_.mutex_);
    --all_.running_;
    all_.drop_all(lock);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  void over() { over_ = true; }

 private:
  Callbacks& all_;
  bool over_ = false;
};

Result<std::shared_ptr<Callbacks>> Callbacks::start() {
  notice_exit();
  std::shared_ptr<Callbacks> callbacks(new Callbacks());
  auto thread = Thread::start("hw-call0", [callbacks] { callbacks->run(); });
  if (!thread.ok()) return thread.error();
  const Lock lock(callbacks->mutex_);
  callbacks->threads_[0] = std::move(*thread);
  return callbacks;
}

bool Callbacks::calling() const {
  return callbacks_of_this_thread == this;
}

void Callbacks::add(const std::shared_ptr<CallbackQueue>& queue,
                    std::shared_ptr<TransferState> ended) {
  bool short_of_threads = false;
  {
    const Lock lock(mutex_);
    if (dropping_ || process_exits.load(std::memory_order_relaxed)) return;
    TransferState* const added = ended.get();
    (queue->last_ != nullptr ? queue->last_->next_due : queue->first_) = std::move(ended);
    queue->last_ = added;
    if (queue->taken_) return;
    queue->taken_ = true;
    push(queue);
    short_of_threads = idle_ == 0 && started_ < kMostThreads && !ending_;
  }
  due_.notify_one();
  if (short_of_threads) start_another();
}

void Callbacks::push(std::shared_ptr<CallbackQueue> queue) {
  CallbackQueue* const added = queue.get();
  (last_ != nullptr ? last_->next_ : first_) = std::move(queue);
  last_ = added;
}

std::shared_ptr<CallbackQueue> Callbacks::pop() {
  auto queue = std::move(first_);
  first_ = std::move(queue->next_);
  if (first_ == nullptr) last_ = nullptr;
  return queue;
}

// Where there is none to be had, or no memory for it, those that there are do it all, later.
void Callbacks::start_another() {
  std::size_t number = 0;
  {
    const Lock lock(mutex_);
    if (ending_ || started_ == kMostThreads) return;
    number = started_++;
    ++running_;
  }
  Thread thread;
  try {
    auto made = Thread::start(fmt::format("hw-call{}", number),
                              [self = shared_from_this()] { self->run(); });
    if (made.ok()) thread = std::move(*made);
  } catch (const std::bad_alloc&) {
  }
  const Lock lock(mutex_);
  if (!thread.running()) --running_;
  threads_[number] = std::move(thread);
}

void Callbacks::run() {
  Lock lock(mutex_);
  while (true) {
    ++idle_;
    due_.wait(lock, [this] { return first_ != nullptr || ending_; });
    --idle_;
    if (first_ == nullptr) break;
    const std::shared_ptr<CallbackQueue> queue = pop();
    std::shared_ptr<TransferState> ended = std::move(queue->first_);
    queue->first_ = std::move(ended->next_due);
    if (queue->first_ == nullptr) queue->last_ = nullptr;
    lock.unlock();
    call(*ended);
    ended.reset();
    lock.lock();
    if (dropping_) {
      drop(*queue, lock);
      break;
    }
    if (queue->first_ != nullptr)
      push(queue);
    else
      queue->taken_ = false;
  }
  --running_;
  rested_.notify_all();
}

// What ends a thread unwinds as an exception does, and has to go on.
void Callbacks::call(TransferState& ended) {
  if (process_exits.load(std::memory_order_relaxed)) return;
  Turn turn(*this);
  try {
    ended.call_back();
  } catch (::abi::__forced_unwind&) {
    throw;
  } catch (const std::exception& thrown) {
    log_error("a callback threw an exception, which it must not: {}", thrown.what());
  } catch (...) {
    log_error("a callback threw an exception, which it must not");
  }
  turn.over();
}

// One by one: a chain of any length would else go by recursion.
void Callbacks::drop(CallbackQueue& queue, Lock& lock) {
  auto ended = std::move(queue.first_);
  queue.last_ = nullptr;
  lock.unlock();
  while (ended != nullptr) ended = std::move(ended->next_due);
  lock.lock();
}

void Callbacks::drop_all(Lock& lock) {
  dropping_ = ending_ = true;
  due_.notify_all();
  rested_.notify_all();
  while (first_ != nullptr) drop(*pop(), lock);
}

bool Callbacks::end(const Deadline& deadline) {
  std::array<Thread, kMostThreads> threads;
  bool rested = false;
  {
    Lock lock(mutex_);
    ending_ = true;
    due_.notify_all();
    rested = !calling() &&
             rested_.wait_for(lock, deadline.remaining(), [this] { return running_ == 0; });
    drop_all(lock);
    for (std::size_t i = 0; i < kMostThreads; ++i) threads[i] = std::move(threads_[i]);
  }
  const Deadline last = Deadline::after(Milliseconds(rested ? 1000 : 0));
  for (Thread& thread : threads) {
    if (!thread.join_within(last)) thread.abandon();
  }
  return rested;
}

}  // namespace hawser::engine
