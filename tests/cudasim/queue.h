// Streams and events: work that runs in a thread of its own, later.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "abi.h"

namespace cudasim {

// How asynchronous work behaves. Thread-safe.
class Pace {
 public:
  explicit Pace(unsigned delay_us) : delay_us_(delay_us) {}
  void set_delay_us(unsigned delay_us);
  void hold(bool hold);
  void delay();         // what passes before an idle stream takes up its work
  void wait_if_held();  // before each copy, fill and kernel

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned delay_us_;
  bool held_ = false;
};

// A stream: runs what was submitted, in order, in a worker thread, which starts with the
// first work. Thread-safe.
class Queue {
 public:
  using Work = std::function<void()>;

  Queue(Context* context, Pace& pace) : context_(context), pace_(pace) {}
  ~Queue();  // finishes its work first
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  Context* context() const { return context_; }
  void submit(Work work);
  bool idle();
  void wait();

 private:
  void run();

  Context* const context_;
  Pace& pace_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> work_;  // the one that runs stays at the front
  bool stop_ = false;
  std::thread worker_;
};

// An event: each record is a new ticket; ready when the last one is finished. Thread-safe.
class Event {
 public:
  explicit Event(Context* context) : context_(context) {}
  Context* context() const { return context_; }

  std::uint64_t record();
  std::uint64_t recorded();  // the last ticket; 0: none
  void finish(std::uint64_t ticket);
  void wait_for(std::uint64_t ticket);
  bool ready();
  void wait();

 private:
  Context* const context_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t recorded_ = 0;
  std::uint64_t finished_ = 0;
};

}  // namespace cudasim
