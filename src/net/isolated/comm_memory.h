// The data path between a process and its plugin's process: one piece of shared memory per comm,
// with a ring of posts, a ring of completions, and a slot of payload for each request in flight.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/event_fd.h"
#include "base/fd.h"
#include "net/isolated/shared_memory.h"

namespace hawser::isolate {

// All zero at first. The n-th post and its completion are at n % slots, and its bytes are in that
// slot. One process posts, the other completes, in order; each reads what the other writes with
// suspicion.
struct CommFields {
  static constexpr std::size_t kErrorBytes = 1024;
  static constexpr std::uint64_t kAllPosted = ~std::uint64_t{0};

  // Of the process that posts.
  alignas(64) std::atomic<std::uint64_t> posted{0};  // publishes posts and payload
  std::atomic<std::uint32_t> poster_waits{0};        // ring the bell at the next completion

  // Of the plugin's process.
  alignas(64) std::atomic<std::uint64_t> completed{0};  // publishes completions and payload
  std::atomic<std::uint64_t> rung{0};                   // how often the bell was rung
  std::atomic<std::uint32_t> sleeps{0};                 // a futex: 1 while it sleeps
  std::atomic<int> driver_thread{0};                    // that calls the plugin for this comm
  std::atomic<std::uint32_t> failed{0};                 // 1 + a Code; publishes `error`
  char error[kErrorBytes] = {};
};

struct Post {
  std::uint64_t bytes = 0;
  std::int32_t tag = 0;
  std::uint32_t reserved = 0;
};

struct Completion {
  std::uint64_t landed = 0;    // bytes to copy out of the slot; kAllPosted: as many as posted
  std::uint64_t received = 0;  // as far as `told`
  std::uint32_t told = 0;
  std::uint32_t reserved = 0;
};

// Where it all lies. Immutable; the fields are atomics. Owns the mapping.
class CommMemory {
 public:
  static Result<std::unique_ptr<CommMemory>> create(std::uint32_t slots, std::uint64_t slot_bytes);
  static Result<std::unique_ptr<CommMemory>> open(UniqueFd fd, std::uint32_t slots,
                                                  std::uint64_t slot_bytes);

  CommFields& fields() { return *reinterpret_cast<CommFields*>(memory_->data()); }
  Post& post(std::uint64_t n) { return posts_[n % slots_]; }
  Completion& completion(std::uint64_t n) { return completions_[n % slots_]; }
  std::byte* slot(std::uint64_t n) const { return payload_ + n % slots_ * slot_bytes_; }
  std::uint32_t slots() const { return slots_; }
  std::uint64_t slot_bytes() const { return slot_bytes_; }
  // All slots; it starts on a page.
  std::span<std::byte> payload() const { return {payload_, slots_ * slot_bytes_}; }
  SharedMemory& memory() { return *memory_; }

 private:
  CommMemory(std::unique_ptr<SharedMemory> memory, std::uint32_t slots, std::uint64_t slot_bytes);

  std::unique_ptr<SharedMemory> memory_;
  const std::uint32_t slots_;
  const std::uint64_t slot_bytes_;
  Post* posts_;
  Completion* completions_;
  std::byte* payload_;
};

// A descriptor for who sleeps until a completion comes: of a receiving comm it can be read then, of
// a sending one written. The plugin's process rings, the other one stills.
class CommBell {
 public:
  static Result<CommBell> create(bool for_sends);
  CommBell(EventFd event, bool for_sends) : event_(std::move(event)), for_sends_(for_sends) {}

  void ring() const;
  void still() const;
  int fd() const { return event_.fd(); }

 private:
  EventFd event_;
  bool for_sends_;
};

// Sleeping on CommFields::sleeps, between two processes.
void futex_sleep(std::atomic<std::uint32_t>& word, std::uint32_t expected,
                 std::int64_t at_most_ns);  // -1: no bound
void futex_wake(std::atomic<std::uint32_t>& word);

}  // namespace hawser::isolate
