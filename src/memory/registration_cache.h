// Register once: whoever asks for a range that is registered, or lies inside one that
// is, shares that registration.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "base/result.h"
#include "memory/range.h"

namespace hawser {

// Thread-safe. `Scope` is what a registration is good for: a device, or one comm.
// While a registration is being made no lock is held; others who ask for a range inside
// it wait for it and share its outcome (a failure is not remembered: the next one tries again).
class RegistrationCache {
 public:
  using Scope = std::uintptr_t;
  using Make = std::function<Result<void*>(const MemoryRange&)>;
  using Drop = std::function<void(void* registration)>;

  // A shared hold on a registration. The last hold to go drops it.
  class Lease {
   public:
    void* registration() const;
    const MemoryRange& range() const;

   private:
    friend class RegistrationCache;
    struct Entry;
    std::shared_ptr<Entry> entry_;
  };

  // `make` is called at most once per (scope, range) at a time, in the caller's thread;
  // `drop` in the thread that lets the last lease go, with no lock held.
  Result<Lease> acquire(Scope scope, const MemoryRange& range, const Make& make, const Drop& drop);

  std::size_t size() const;  // registrations alive or being made

 private:
  struct State;
  std::shared_ptr<State> state_;

 public:
  RegistrationCache();
  ~RegistrationCache();
};

}  // namespace hawser
