// Which sends the receives that a peer has announced are waiting for.
#pragma once

#include "nccl/framing.h"
#include "nccl/ring.h"

namespace hawser::plugin {

// The sender's view of multi-receives. A message fills the first open buffer of its tag; only the
// oldest receive that still has open buffers may be sent to, so that no tag runs ahead of what the
// other side has posted. A value; not thread-safe.
class GroupLedger {
 public:
  static constexpr std::size_t kMaxGroups = 2 * kMaxRequests;

  // `overrun` messages of `stream_tag` went out before the peer's word came, beyond the receives
  // that were waiting for them: they fill the first open buffers of that tag.
  GroupLedger(int stream_tag, std::uint64_t overrun) : stream_tag_(stream_tag), overrun_(overrun) {}

  bool full() const { return groups_.full(); }

  void add(const Announcement& announced) {  // not full()
    Group group{announced, {}, announced.count};
    while (overrun_ > 0 && group.fill(stream_tag_)) --overrun_;
    if (group.open > 0) groups_.push(group);
  }

  bool wants(int tag) { return !groups_.empty() && groups_.front().find(tag) >= 0; }

  void take(int tag) {  // wants(tag)
    groups_.front().fill(tag);
    if (groups_.front().open == 0) groups_.pop();
  }

 private:
  struct Group {
    Announcement announced;
    std::array<bool, kMaxReceives> filled{};
    int open = 0;

    int find(int tag) const {
      for (int i = 0; i < announced.count; ++i)
        if (const auto at = static_cast<std::size_t>(i); !filled[at] && announced.tags[at] == tag)
          return i;
      return -1;
    }
    bool fill(int tag) {
      const int at = find(tag);
      if (at < 0) return false;
      filled[static_cast<std::size_t>(at)] = true;
      --open;
      return true;
    }
  };

  const int stream_tag_;
  std::uint64_t overrun_;
  Ring<Group, kMaxGroups> groups_;
};

}  // namespace hawser::plugin
