// The sending half of a channel: frames, the chunks behind them, and what is not acknowledged yet.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/sliding_window.h"
#include "engine/lanes/lane_memory.h"
#include "engine/lanes/pace.h"
#include "engine/lanes/unacknowledged.h"
#include "engine/operations/operation.h"
#include "engine/operations/outbox.h"
#include "engine/wire.h"
#include "net/net.h"

namespace hawser::engine {

// Where a lane gets what it sends, and tells what has become of it. LinkCore.
class TxSource {
 public:
  virtual ~TxSource() = default;
  // Adds messages to the frame while they fit and there are any, and keeps them in `sent`.
  virtual void take_messages(wire::FrameBuilder& frame, std::vector<MessagePtr>& sent) = 0;
  virtual void take_chunks(const Outbox::Limits& limits, std::vector<OutChunk>& taken) = 0;
  // A chunk that cannot be sent: its operation fails with that, the channel goes on.
  virtual void chunk_failed(const OutChunk& chunk, Error why) = 0;
  // Memory that was being sent is not there: likewise, but the chunk is on its way, void.
  virtual void memory_lost(const std::shared_ptr<Outgoing>& op, const Error& why) = 0;
  virtual void acknowledged(std::span<const OutChunk> chunks,
                            std::span<const MessagePtr> messages) = 0;
};

// Not thread-safe, but for pace().
class TxLane {
 public:
  // `gpu`: whose memory will be sent from most; may be null, and so may `page_file`.
  static Result<std::unique_ptr<TxLane>> create(
      std::shared_ptr<SendComm> comm, const NetCapabilities& capabilities, std::size_t chunk_bytes,
      const std::shared_ptr<Gpu>& gpu, std::shared_ptr<PageFile> page_file, TxSource& source);

  // Never blocks. True: something moved. An error ends the channel.
  Result<bool> progress(TimePoint now);
  // What the other half has taken in, to be told to the peer.
  // It travels with whatever else there is to say, or, where it is due, alone.
  void set_ack(const wire::Ack& ack, bool due);
  bool has_told(const wire::Ack& ack) const;
  // Sends something that the peer has to acknowledge.
  void ping() { ping_due_ = true; }
  // What the peer has taken in. Code::protocol: more than was sent.
  Status on_ack(const wire::Ack& ack, TimePoint now);

  // Takes nothing more, and says so behind what it has.
  void leave() { leaving_ = true; }
  bool left() const { return said_last_ && posts_.empty(); }

  // Something is on its way into the socket.
  bool sending() const { return !posts_.empty(); }
  // Copies are polled: there is nothing to wait for.
  bool copying() const { return !prepared_.empty() && prepared_.front().mark != 0; }
  const Pace& pace() const { return pace_; }
  // Sends nothing of that. False: it is being sent.
  bool let_go(const LettingGo& what);
  // False: it is still being sent from.
  bool forget(const LocalRegion& region);

  // Closes the connection: nobody reads anybody's memory any more. What the peer may not have taken
  // in is given back, chunks that were not sent at its end. The lane is of no use then.
  Unacknowledged close();

 private:
  static constexpr std::size_t kFrameBuffers = 8;
  static constexpr std::size_t kSlots = 8;
  static constexpr std::size_t kPrepared = 64;
  static constexpr std::size_t kMaxUnacked = 256;               // chunks
  static constexpr std::uint64_t kBytesPerFrame = 1024 * 1024;  // of them
  static constexpr std::size_t kMaxPosts = 64;

  // A chunk, and how its data travels: decided once, when it is taken.
  struct Prepared {
    OutChunk chunk;
    bool in_frame = false;            // else as a message of its own behind the frame, from `data`
    const std::byte* data = nullptr;  // null: gathered out of host memory as its frame is made, or
    std::optional<Error> lost;        // that is not there
    Registration* registration = nullptr;
    StagingSlot slot;  // where `data` is, unless that is the user's memory
    CopyQueue* copies = nullptr;
    std::uint64_t mark = 0;  // of the copy into the slot; 0: there is none
  };
  struct Post {
    const std::byte* data = nullptr;
    std::size_t bytes = 0;
    Registration* registration = nullptr;
    std::int8_t frame_buffer = -1;
    StagingSlot slot;
    hawser::Request* request = nullptr;  // the Net's
    std::shared_ptr<Outgoing> op;        // whose memory it is sent from
  };

  TxLane(std::shared_ptr<SendComm> comm, const NetCapabilities& capabilities,
         std::size_t chunk_bytes, std::shared_ptr<PageFile> page_file, TxSource& source);
  Status make_frames();
  std::byte* frame_memory(std::int8_t buffer) const;
  Result<bool> prepare();
  void prepare(OutChunk chunk);
  Status choose_way(Prepared& prepared);
  Status send_from_place(Prepared& prepared);
  Status stage(Prepared& prepared);
  Result<bool> emit(TimePoint now);
  Result<bool> emit_frame(TimePoint now);
  void post_frame(std::size_t position, std::int8_t buffer, wire::FrameBuilder& frame);
  bool emit_last();
  static Result<bool> ready(const Prepared& prepared);
  Result<std::size_t> add_chunks(wire::FrameBuilder& frame, TimePoint now);
  bool add_chunk(wire::FrameBuilder& frame, Prepared& prepared, TimePoint now);
  void add_record(wire::FrameBuilder& frame, const Prepared& prepared,
                  std::span<const std::byte> data);
  void gather(std::size_t room);
  void gather_but_for_lost();
  void forget_gathered();
  void fail_oldest(Error why);
  Result<bool> post();
  Result<bool> reap();

  SendComm& comm_;
  const NetCapabilities capabilities_;
  const std::size_t chunk_bytes_;
  const std::size_t window_;
  TxSource& source_;
  LaneMemory memory_;
  std::byte* frame_memory_ = nullptr;
  Registration* frame_registration_ = nullptr;
  std::vector<std::int8_t> free_frames_;
  std::vector<OutChunk> taken_;
  std::byte* gathered_ = nullptr;  // small chunks of one frame, so many bytes
  std::size_t gathered_bytes_ = 0;
  std::vector<std::size_t> gather_ends_;  // of each that is gathered, in block_copies_
  std::vector<wire::Piece> pieces_;       // of one chunk
  std::vector<BlockCopy> block_copies_;
  std::deque<Prepared> prepared_;
  std::uint64_t plain_bytes_ = 0;  // of what is prepared and needs no copy by a GPU
  SlidingWindow<Post> posts_{kMaxPosts};
  std::size_t posted_ = 0;  // position of the first that is not posted
  wire::Ack ack_;           // to be told
  wire::Ack told_;          // has been
  bool ack_due_ = false;
  bool ping_due_ = false;
  bool leaving_ = false;
  bool said_last_ = false;
  Unacknowledged unacknowledged_;
  std::vector<MessagePtr> acked_messages_;
  std::vector<OutChunk> acked_chunks_;
  Pace pace_;
};

}  // namespace hawser::engine
