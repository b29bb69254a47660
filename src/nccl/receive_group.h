// Receives of one or several buffers that wait for messages by tag.
#pragma once

#include <array>
#include <cstddef>

#include "nccl/comm.h"
#include "nccl/ring.h"

namespace hawser::plugin {

// One buffer of a receive.
struct ReceiveBuffer {
  void* data = nullptr;
  std::size_t bytes = 0;
  int tag = 0;
  Registration* registration = nullptr;
};

// A receive of `count` buffers. It is done when each has had its message.
struct ReceiveGroup {
  struct Slot {
    ReceiveBuffer buffer;
    bool taken = false;  // a message has been matched to it
    std::size_t received = 0;
  };
  std::array<Slot, kMaxReceives> slots{};
  PluginRequest* request = nullptr;
  int count = 0;
  int open = 0;        // without a message
  int unfinished = 0;  // without all of its bytes

  void finish(Slot& slot, std::size_t bytes) {
    slot.received = bytes;
    --unfinished;
  }
};

// A buffer of a group, while something happens to it.
struct SlotOfGroup {
  ReceiveGroup* group = nullptr;
  ReceiveGroup::Slot* slot = nullptr;
};

// The groups that still have open buffers, oldest first. Not thread-safe.
class OpenGroups {
 public:
  bool empty() const { return groups_.empty(); }
  void add(ReceiveGroup* group) { groups_.push(group); }

  // Takes the first open buffer of that tag, in the oldest group that has one; a null slot: none.
  SlotOfGroup take(int tag) {
    for (std::size_t i = 0; i < groups_.size(); ++i)
      if (ReceiveGroup::Slot* const slot = find(*groups_[i], tag)) {
        ReceiveGroup* const group = groups_[i];
        slot->taken = true;
        // Not only the oldest may be full: its object is used again once it has been tested.
        if (--group->open == 0) groups_.erase(i);
        return {group, slot};
      }
    return {};
  }

 private:
  static ReceiveGroup::Slot* find(ReceiveGroup& group, int tag) {
    for (int i = 0; i < group.count; ++i)
      if (auto& slot = group.slots[static_cast<std::size_t>(i)];
          !slot.taken && slot.buffer.tag == tag)
        return &slot;
    return nullptr;
  }

  Ring<ReceiveGroup*, kMaxRequests> groups_;
};

}  // namespace hawser::plugin
