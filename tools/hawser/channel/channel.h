// A channel: one connection of a Net, one direction, with its window and, where the Net cannot
// reach the memory itself, its staging.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/wait.h"
#include "channel/chunks.h"
#include "channel/receive_pipeline.h"
#include "channel/send_pipeline.h"
#include "channel/staging.h"
#include "net/net.h"

namespace hawser {

class Gpu;

// Which channel.
struct ChannelKey {
  int gpu = 0;
  int device = 0;
  int index = 0;
  auto operator<=>(const ChannelKey&) const = default;
};

struct ChannelOptions {
  std::size_t chunk_bytes = 512 * 1024;
  int window = 16;           // at most; the Net's limit where that is lower
  std::shared_ptr<Gpu> gpu;  // for staging and unpacking; null where there is none
  UnpackOptions unpack;      // where receives need it
};

// Memory that a channel was prepared for: see Channel::prepare.
struct Prepared {
  MemoryRange memory;
  Registration* registration = nullptr;
};

// One transfer at a time. Not thread-safe: one thread at a time drives it.
class Channel {
 public:
  using AnyComm = std::variant<std::shared_ptr<SendComm>, std::shared_ptr<ReceiveComm>>;

  // `capabilities` are those of the device the comm lives on.
  static Result<std::unique_ptr<Channel>> create(ChannelKey key, AnyComm comm,
                                                 const NetCapabilities& capabilities,
                                                 const ChannelOptions& options);

  const ChannelKey& key() const { return key_; }
  std::shared_ptr<Comm> comm() const;
  bool staged() const { return staging_.has_value(); }
  // What must be registered before `memory` can be transferred: it, or the staging ring,
  // which is made here, once.
  Result<MemoryRange> to_register(const MemoryRange& memory);

  // Sends or receives (whichever way this channel goes) all of `memory`, whose to_register() range
  // `registration` covers. Both sides must begin transfers of the same bytes in the same order.
  void begin(const MemoryRange& memory, Registration* registration);
  // The same for a run of messages; `memory` is its slots. A send may leave from a slot that an
  // earlier one still leaves from; a receive waits till its slot's last one has landed.
  void begin(const MessageRun& run, const MemoryRange& memory, Registration* registration);
  // Never blocks. True: something moved.
  Result<bool> progress();
  bool finished() const;
  std::size_t bytes_done() const;

  // begin() and progress() until finished, or the bound breaks: the error says how far it came.
  Status transfer(const MemoryRange& memory, Registration* registration, const WaitBound& bound);

 private:
  using Pipeline = std::variant<SendPipeline, ReceivePipeline>;

  Channel(ChannelKey key, AnyComm comm, const NetCapabilities& capabilities,
          const ChannelOptions& options, std::size_t window);
  Status make_copies();

  ChannelKey key_;
  AnyComm comm_;
  NetCapabilities capabilities_;
  ChannelOptions options_;
  std::size_t window_;
  std::optional<StagingRing> staging_;
  std::unique_ptr<CopyQueue> copies_;
  std::unique_ptr<Unpacker> unpacker_;
  Pipeline pipeline_;
};

}  // namespace hawser
