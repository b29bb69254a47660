// The messages in flight on one comm: a fixed number of slots, finished in posting order, tested
// in any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "net/net.h"

namespace hawser::tcp {

// A Message derives from Request. A slot is taken by push(), finished (always the oldest
// unfinished first) by finish_oldest(), and free again after release(). Not thread-safe; never
// allocates.
template <class Message, std::size_t kSlots>
class MessageWindow {
 public:
  // A fresh message behind all others; nullptr: kSlots are in flight.
  Message* push() {
    for (std::size_t i = 0; i < kSlots; ++i) {
      Slot& slot = slots_[(hint_ + i) % kSlots];
      if (slot.taken) continue;
      hint_ = (hint_ + i + 1) % kSlots;
      slot = Slot{Message{}, true, false};
      order_[(first_ + unfinished_++) % kSlots] = &slot;
      ++in_flight_;
      return &slot.message;
    }
    return nullptr;
  }

  std::size_t in_flight() const { return in_flight_; }
  std::size_t unfinished() const { return unfinished_; }

  // The i-th oldest of the unfinished ones; i < unfinished().
  Message& unfinished(std::size_t i) { return order_[(first_ + i) % kSlots]->message; }

  void finish_oldest() {
    order_[first_]->finished = true;
    first_ = (first_ + 1) % kSlots;
    --unfinished_;
  }

  // The message in flight that `request` stands for; nullptr: none.
  Message* find(Request* request) {
    Slot* const slot = slot_of(request);
    return slot != nullptr ? &slot->message : nullptr;
  }
  bool finished(const Message& message) { return slot_of(&message)->finished; }
  void release(const Message& message) {
    slot_of(&message)->taken = false;
    --in_flight_;
  }

 private:
  struct Slot {
    Message message;
    bool taken = false;
    bool finished = false;
  };

  // By arithmetic on the address, so that any pointer may be asked about.
  Slot* slot_of(const Request* request) {
    const auto base = reinterpret_cast<std::uintptr_t>(static_cast<Request*>(&slots_[0].message));
    const auto offset = reinterpret_cast<std::uintptr_t>(request) - base;
    if (offset % sizeof(Slot) != 0 || offset / sizeof(Slot) >= kSlots) return nullptr;
    Slot& slot = slots_[offset / sizeof(Slot)];
    return slot.taken ? &slot : nullptr;
  }

  std::array<Slot, kSlots> slots_{};
  std::array<Slot*, kSlots> order_{};  // ring of the unfinished, from first_
  std::size_t first_ = 0;
  std::size_t unfinished_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t hint_ = 0;  // where to look for a free slot
};

}  // namespace hawser::tcp
