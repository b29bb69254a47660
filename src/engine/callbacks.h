// Users' callbacks, on threads of their own: whatever one waits for, data, heartbeats and control
// do not.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "base/result.h"
#include "base/thread.h"

namespace hawser::engine {

class Callbacks;
class TransferState;

// The callbacks of one link that are due: called one after another, in this order. Of the Callbacks
// that it was made by, whose lock guards it.
class CallbackQueue {
 private:
  friend class Callbacks;
  std::shared_ptr<TransferState> first_;  // linked by TransferState::next_due
  TransferState* last_ = nullptr;
  std::shared_ptr<CallbackQueue> next_;  // among those that wait for a thread
  bool taken_ = false;                   // waits for a thread, or has one
};

// An engine's. Links take turns, so that none waits for another one's callback as long as there are
// threads: one to begin with, kMostThreads at most, each started when all others are busy.
// Thread-safe. Its threads share it: one that a callback never gives back is left behind.
class Callbacks : public std::enable_shared_from_this<Callbacks> {
 public:
  static constexpr std::size_t kMostThreads = 8;

  // Code::system: no thread is to be had.
  static Result<std::shared_ptr<Callbacks>> start();
  Callbacks(const Callbacks&) = delete;
  Callbacks& operator=(const Callbacks&) = delete;

  static std::shared_ptr<CallbackQueue> make_queue() { return std::make_shared<CallbackQueue>(); }
  // One that has ended and has a callback. Waits for none, needs no memory. Once end() has begun to
  // give up, and while the process exits, it is dropped.
  void add(const std::shared_ptr<CallbackQueue>& queue, std::shared_ptr<TransferState> ended);
  // Waits until all that are due have been called, and calls none any more. False: one has not come
  // back; what was due behind it is dropped.
  bool end(const Deadline& deadline);
  // Whether the calling thread is in one of these callbacks.
  bool calling() const;

 private:
  class Turn;
  using Lock = std::unique_lock<std::mutex>;

  Callbacks() = default;
  void run();
  void call(TransferState& ended);
  void push(std::shared_ptr<CallbackQueue> queue);
  std::shared_ptr<CallbackQueue> pop();
  void start_another();
  void drop(CallbackQueue& queue, Lock& lock);
  void drop_all(Lock& lock);

  std::mutex mutex_;  // guards what follows; taken under no other lock, and none under it
  std::condition_variable due_;
  std::condition_variable rested_;
  std::shared_ptr<CallbackQueue> first_;  // wait for a thread, linked by CallbackQueue::next_
  CallbackQueue* last_ = nullptr;
  std::size_t idle_ = 0;
  std::size_t running_ = 1;  // threads that have not ended
  std::size_t started_ = 1;
  bool ending_ = false;
  bool dropping_ = false;                     // nothing is called any more
  std::array<Thread, kMostThreads> threads_;  // joined, or left behind, by end()
};

}  // namespace hawser::engine
