// The driver's state: devices, contexts, streams, events.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "abi.h"
#include "memory.h"
#include "module.h"
#include "queue.h"

namespace cudasim {

// A primary context. Never deleted, so that a stale handle is recognised.
struct Context {
  Context(int the_device, Pace& pace) : device(the_device), null_stream(this, pace) {}
  const int device;
  std::atomic<bool> alive{true};          // publishes nothing but itself
  std::atomic<CUresult> fault{kSuccess};  // what went wrong on the GPU: nothing works from then on
  Queue null_stream;
};

// All there is of the driver; one per process, as of the real one. Thread-safe.
class State {
 public:
  static State& get();  // never destroyed: streams may still run when the process ends

  Memory& memory() { return memory_; }
  Modules& modules() { return modules_; }
  Pace& pace() { return pace_; }

  CUresult initialise();
  bool initialised() const { return initialised_; }
  void set_init_result(CUresult result) { init_result_ = result; }
  int device_count() const { return device_count_; }

  CUresult retain(int device, Context** context);
  CUresult release(int device);
  bool known(const Context* context);

  Queue* make_stream(Context* context);
  CUresult destroy_stream(Queue* stream);
  // The stream of that handle; the context's null stream for null. Null: no such stream.
  std::shared_ptr<Queue> stream(Queue* handle, Context* current);
  Event* make_event(Context* context);
  CUresult destroy_event(Event* event);
  std::shared_ptr<Event> event(Event* handle);

  void wait_for_all();  // of every context
  void count_copy() { ++copies_; }

  std::size_t context_count();
  std::size_t stream_count();
  std::size_t event_count();
  std::size_t copy_count() const { return copies_; }

 private:
  State();

  Memory memory_;
  Modules modules_;
  Pace pace_;
  const int device_count_;
  std::atomic<bool> initialised_{false};
  std::atomic<CUresult> init_result_{kSuccess};
  std::atomic<std::size_t> copies_{0};

  std::mutex mutex_;
  std::vector<std::unique_ptr<Context>> contexts_;
  std::array<Context*, kMaxDevices> primary_{};
  std::array<int, kMaxDevices> retained_{};
  std::map<Queue*, std::shared_ptr<Queue>> streams_;
  std::vector<std::shared_ptr<Queue>> destroyed_;  // some may still be finishing their work
  std::map<Event*, std::shared_ptr<Event>> events_;
};

// The calling thread's current contexts: the stack that push and pop work on.
std::vector<Context*>& context_stack();
Context* current_context();
// What a call that needs a context answers where there is none: 3, 201 or 709; where a kernel
// went wrong in it: 700; else 0.
CUresult require_context();

}  // namespace cudasim
