// Register once: whoever asks for a range that is registered, or lies inside one that
// is, shares that registration.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.h"
#include "memory/range.h"

namespace hawser {

// Thread-safe. `make` and `drop` run with no lock held, so a slow registration delays
// only those who need it; they must not throw, nor ask for their own range again.
class RegistrationCache {
 public:
  // What a registration is good for: a device, or one comm. Chosen by the caller.
  using Scope = std::uintptr_t;
  using Make = std::function<Result<void*>(const MemoryRange&)>;
  using Drop = std::function<void(void* registration)>;

  // A shared hold on a registration; copies share it. The last one to go drops the
  // registration, in its thread. May outlive the cache. An empty one holds nothing.
  class Lease {
   public:
    Lease() = default;
    explicit operator bool() const { return hold_ != nullptr; }
    // Only of a lease that holds something. The range is the registered one, which may
    // be larger than what was asked for.
    void* registration() const;
    const MemoryRange& range() const;

   private:
    friend class RegistrationCache;
    struct Hold;
    explicit Lease(std::shared_ptr<const Hold> hold) : hold_(std::move(hold)) {}
    std::shared_ptr<const Hold> hold_;
  };

  RegistrationCache();
  ~RegistrationCache();
  RegistrationCache(const RegistrationCache&) = delete;
  RegistrationCache& operator=(const RegistrationCache&) = delete;

  // Shares a registration of `scope` that contains `range`, else makes one with `make`
  // in the calling thread. While one is being made, those who ask for a range inside it
  // wait and share its outcome; a failure is not remembered, so the next one tries again.
  // While one is being dropped, those who ask wait, and then make it anew: of one (scope,
  // range) there is never more than one. Ranges that overlap without one containing
  // the other are registered each for itself.
  Result<Lease> acquire(Scope scope, const MemoryRange& range, const Make& make, const Drop& drop);

  std::size_t size() const;  // registrations alive, being made or being dropped

 private:
  struct Entry;
  class Table;
  std::shared_ptr<Table> table_;  // leases share it
};

}  // namespace hawser
