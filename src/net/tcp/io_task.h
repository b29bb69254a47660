// What an I/O thread, or a caller in its place, drives.
#pragma once

#include <atomic>

namespace hawser::tcp {

class IoThread;

// One thread at a time drives it. The links below belong to the IoThread that it is attached to.
class IoTask {
 public:
  // What it waits for when drive() returns.
  enum class Wait {
    nothing,  // there is more to do
    socket,   // its socket: readable or writable, whichever it was refused
    kick,     // work that the comm does not have yet: whoever brings some kicks it
    never,    // it has ended, well or not
  };
  virtual Wait drive() = 0;  // never blocks
  // In an I/O thread drive() threw, which only a lack of memory makes it do.
  virtual void ran_out_of_memory() noexcept {}

  IoTask() = default;
  virtual ~IoTask() = default;  // its thread must have let it go, or never have had it
  IoTask(const IoTask&) = delete;
  IoTask& operator=(const IoTask&) = delete;

 private:
  friend class IoThread;
  std::atomic<bool> kicked_{false};   // it is in the thread's inbox; whoever sets it puts it there
  IoTask* next_ = nullptr;            // in the inbox
  bool active_ = false;               // of the thread: it is in the list of what is driven
  IoTask* next_active_ = nullptr;     // in that list
  std::atomic<bool> leaving_{false};  // set before the last kick
  bool departed_ = false;             // guarded by the thread's mutex
};

}  // namespace hawser::tcp
