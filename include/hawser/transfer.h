// Transfers: what was asked of a link, and what has come of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <hawser/export.h>
#include <hawser/result.h>

namespace hawser {

namespace engine {
class TransferState;
}

// One piece of a one-sided transfer: `bytes` between an offset in the local region and one in the
// remote region. A batch may have a million of them; those of zero bytes are allowed. No two of a
// batch may overlap where they are written.
struct Block {
  std::uint64_t local_offset = 0;
  std::uint64_t remote_offset = 0;
  std::uint64_t bytes = 0;
};

// One piece of local memory, for send() and recv(): a message is its pieces, one after another.
struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

struct TransferOptions {
  // Arrives at the peer, as a Notification, once all data of this write() is applied there. At most
  // kMaxNotificationBytes; empty: none. Of write() alone.
  std::string notification;
  // A CUstream of the GPU of the local region: memory is read or written only when what was queued
  // on it before this call has finished. No other transfer waits behind it. Null: at once. For the
  // legacy default stream give CU_STREAM_LEGACY, (void*)1.
  void* cuda_stream = nullptr;
  // Stopped with Code::timeout where it has not ended by then, as by cancel(): at most half a
  // second later it has ended. 0: no bound but the link's own.
  int timeout_ms = 0;
  // A peer keeps so many messages that met no receive, reads under way, and notifications that
  // nobody took (docs/limits.md); what is more waits here, in the order of the calls,
  // until there is room. true: it is refused with Code::timeout instead, at once (a read with a
  // cuda_stream: when that has come so far). Nothing of it has been sent then.
  bool only_if_room = false;
};

inline constexpr std::size_t kMaxNotificationBytes = 4096;

// A handle of one transfer, cheap to copy, thread-safe. It has ended when the link says so, whether
// or not somebody holds a handle; until then the memory is the link's. A transfer that was refused
// has ended at once, with the reason.
//
// What "done" means: of a write or send, that all data is applied in the peer's memory, visible to
// its CPU and GPU; of a read or recv, the same here. After an error, and after cancel(), parts of
// the destination may have been written; when the transfer has ended nothing is written any more.
class HAWSER_API Transfer {
 public:
  Transfer() = default;  // of nothing: done, with Code::invalid_argument

  bool done() const;  // never blocks
  // False: not done after `timeout_ms`. -1: as long as it takes, which the link bounds.
  bool wait(int timeout_ms = -1) const;
  // Waits for the end, and gives what came of it. Code::cancelled: it was stopped by cancel() or
  // by the link's end; Code::timeout: by its own bound; Code::peer: the peer or all ways to it are
  // gone; Code::invalid_argument: refused, here or by the region's owner.
  Status result() const;
  std::uint64_t bytes() const;  // asked for; of a recv, once it has met a message, the message's
  std::uint64_t bytes_done() const;  // applied so far
  // Asks for an early end. It may still end well, and does where all of it is on its way: either it
  // is done, or nobody at the peer is told that it were. Where the peer does not answer it ends
  // within EngineOptions::stall_ms with Code::timeout, and what has become of it there is not
  // known.
  void cancel() const;
  // Called once, from a thread of the engine's that is there for callbacks, when it has ended, or
  // from here, where it has already. Those of one link are called one after another, in the order
  // in which its transfers ended. It may wait: data, heartbeats and other links' callbacks go on.
  // It must not throw, nor close or destroy its engine, whose end waits for it. One per transfer: a
  // second replaces the first.
  void on_done(std::function<void(const Status&)> callback) const;

 private:
  friend class Link;
  explicit Transfer(std::shared_ptr<engine::TransferState> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<engine::TransferState> impl_;
};

}  // namespace hawser
