// One channel pair of a measurement: a connection each way, with the memory that its messages
// leave from and land in.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "channel/channel.h"
#include "memory/buffer.h"
#include "memory/pattern.h"

namespace hawser {

inline constexpr std::size_t kTokenBytes = 8;  // what one side tells the other by, over the channel

// One direction: a channel, its ring, and a page behind the ring for tokens.
struct OneWay {
  std::shared_ptr<Channel> channel;
  std::optional<Buffer> buffer;
  Registration* registration = nullptr;

  void begin(const MessageRun& run) {
    channel->begin(run, buffer->range().slice(0, run.message_bytes * run.slots), registration);
  }
  void begin_token() {
    const MemoryRange& all = buffer->range();
    channel->begin(all.slice(all.bytes - kPageBytes, kTokenBytes), registration);
  }
};

// Not thread-safe: one thread at a time drives it.
struct Lane {
  OneWay out;
  OneWay in;
};

}  // namespace hawser
