// What a link has under way: what goes out, what comes in, and the messages that say so.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/budget.h"
#include "base/clock.h"
#include "engine/operations/blocks.h"
#include "engine/operations/room.h"
#include "engine/operations/transfer_state.h"
#include "engine/region_table.h"
#include "engine/wire.h"

namespace hawser {
class GpuEvent;
}

namespace hawser::engine {

// Whoever reads or receives wants it no more.
inline Error taken_back() {
  return Error(Code::cancelled, "whoever was to get it took the request back");
}

inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// All of these are guarded by their link's mutex, but for what a channel holds of a chunk: a block
// list never changes, and a region stays in use until its operation has ended.

// How an operation that is to end early does, whatever it is.
struct Ending {
  TimePoint deadline{};    // when something is to be done about it; none where it is 0
  bool asked_for = false;  // it was asked to end: at its deadline it ends by force
};

// Data that this side sends: a write of its own, or what the peer asked for by a read or a receive.
struct Outgoing {
  enum class Kind { write, reply, notify };
  Outgoing(Kind kind_, BlockList blocks_)
      : kind(kind_), blocks(std::move(blocks_)), cutter(blocks) {}
  Outgoing(const Outgoing&) = delete;
  Outgoing& operator=(const Outgoing&) = delete;

  const Kind kind;
  const BlockList blocks;
  ChunkCutter cutter;
  std::uint64_t own_op = 0;                 // of a write, a send, a notification
  std::uint64_t peer_op = 0;                // of a reply: the read or receive it is for
  RegionUse region;                         // empty for a notification
  wire::Key key{};                          // of a write: where to
  bool tracked = false;                     // it has a notification, which the peer may know of
  std::shared_ptr<TransferState> transfer;  // null where the peer reads
  std::uint64_t outstanding = 0;            // chunks and messages taken by channels, unacknowledged
  std::deque<ChunkRef> again;               // chunks that wait to go out again
  std::size_t unsent_messages = 0;
  Budget::Share share;           // where the peer reads
  std::optional<Error> stopped;  // nothing more goes out
  Ending ending;
  bool ended = false;
  // Of the outbox: whether, and where, it is listed there for its next chunk.
  using List = std::list<std::shared_ptr<Outgoing>>;
  bool listed = false;
  List::iterator listed_at, again_at;  // the latter where `again` is not empty

  // Every byte is, or has been, a channel's.
  bool all_sent() const { return cutter.empty() && again.empty(); }
  bool finished() const {
    return outstanding == 0 && unsent_messages == 0 && (stopped.has_value() || all_sent());
  }
};

// A part of it that travels as one.
struct OutChunk {
  std::shared_ptr<Outgoing> op;
  ChunkRef ref;
  bool repeated = false;  // another channel had it before
};

// What channels are to hold nothing of any more: of operations that end by force, and of a region.
struct LettingGo {
  std::unordered_set<std::shared_ptr<Outgoing>> outgoing;
  std::unordered_set<std::uint64_t> parts;  // of reads and receives of this side
  const LocalRegion* region = nullptr;      // that the peer writes to
  std::vector<std::uint64_t> ops;           // of this side, which end by it
};

// A send that has not met its receive.
struct PendingSend {
  std::uint64_t op = 0;
  BlockList blocks;
  RegionUse region;
  std::shared_ptr<GpuEvent> after;
  std::shared_ptr<TransferState> transfer;
  std::optional<Error> stopped{};  // withdrawn
  Ending ending{};
};

// A read or a receive: where its data goes.
struct Inbound {
  BlockList blocks;
  RegionUse region;
  std::shared_ptr<GpuEvent> after;       // before which the peer is not asked for it; null: at once
  wire::Key key{};                       // of a read: where from
  std::optional<std::uint64_t> peer_op;  // of a receive: the send that it has met, and
  std::uint64_t bytes = 0;               // how long that is
  std::shared_ptr<TransferState> transfer;
  std::uint64_t op = 0;
  std::uint64_t tag = 0;
  bool posted = false;        // a receive that has met no message
  std::uint64_t waiting = 0;  // its place among those
  bool held = false;          // it waits for its user's stream
  bool only_if_room = false;
  // Its parts have the numbers from first_part up to parts_end; so many have not ended, and so many
  // of these have not been asked for yet.
  std::uint64_t first_part = 0, parts_end = 0, parts_left = 0, unasked = 0;
  bool ended = false;
  bool broken = false;         // a part of it did not come
  std::optional<Error> error;  // why not, or why it was stopped
  Ending ending;
};

// What the peer knows by one operation's number: all of a receive, or as much of a read as one
// request asks for.
struct InboundPart {
  std::shared_ptr<Inbound> inbound;
  std::uint64_t offset = 0;  // in the inbound's data
  std::uint64_t bytes = 0;
  std::uint64_t landed = 0;
};

// A message that has not met a receive.
struct Announced {
  std::uint64_t peer_op = 0;
  std::uint64_t total = 0;
  bool eager = false;  // its data is here
  std::vector<std::byte> data;
  Budget::Share share;  // while it waits
};

// A record that waits to be sent, or to be acknowledged, and what its views look at.
struct Message {
  wire::Record record;
  std::uint64_t order = 0;  // 0: it is taken whenever it comes
  std::vector<std::byte> bytes;
  std::vector<wire::Piece> pieces;
  std::shared_ptr<Outgoing> op;    // that has not ended before it is acknowledged; may be null
  std::optional<Kept> frees;       // what has had its place here until the peer has heard this
  std::atomic<bool> heard{false};  // the peer has taken it in
  Budget::Share share;             // where it is an answer, which the peer may not take
};
using MessagePtr = std::shared_ptr<Message>;

}  // namespace hawser::engine
