// The receiving half of a channel: an agreed schedule of posted receives. A frame says which chunks
// follow it; each is received where it belongs, or into a slot and copied there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "engine/lanes/lane_memory.h"
#include "engine/operations/operation.h"
#include "engine/wire.h"
#include "net/net.h"
#include "net/unpack/unpacked_receives.h"

namespace hawser::engine {

// Where the bytes of a chunk belong. Without a region they are refused, and go nowhere.
struct Target {
  RegionUse region;
  std::vector<Block> pieces;  // local_offset and bytes count; reused from chunk to chunk
  // Why it was refused. Until the peer has heard of it the chunk is not taken in, or a write that
  // was refused would look done.
  MessagePtr refusal;
  std::uint64_t op = 0;  // of the peer (a write), or of this side (a reply)
  bool reply = false;
  bool tracked = false;
  std::uint64_t bytes = 0;
};

// Who knows what frames are about. LinkCore.
class RxSink {
 public:
  virtual ~RxSink() = default;
  // A target without a region where the chunk is refused: the peer is being told. An error ends the
  // link, and the channel first.
  virtual Status find_target(const wire::WriteChunk& chunk, Target& target) = 0;
  virtual Status find_target(const wire::ReplyChunk& chunk, Target& target) = 0;
  virtual void landed(const Target& target) = 0;
  // A chunk that this side cannot put in its place: its operation fails, the channel goes on.
  virtual void target_failed(Target& target, Error why) = 0;
  virtual Status take_record(std::uint64_t order, const wire::Record& record) = 0;
};

// Not thread-safe.
class RxLane {
 public:
  // `gpu`: one of whose pinned memory frames should lie in; may be null, and so may `page_file`.
  static Result<std::unique_ptr<RxLane>> create(std::shared_ptr<ReceiveComm> comm,
                                                const NetCapabilities& capabilities,
                                                std::size_t chunk_bytes, std::shared_ptr<Gpu> gpu,
                                                const UnpackOptions& unpack,
                                                std::shared_ptr<PageFile> page_file, RxSink& sink);

  // Never blocks. True: something moved. An error ends the channel.
  Result<bool> progress();

  // What has been taken in and applied; `due`: since the last call, something that the peer waits
  // to hear of.
  const wire::Ack& taken() const { return taken_; }
  bool take_due() { return std::exchange(due_, false); }
  // The peer's last word on what it has taken in, once.
  std::optional<wire::Ack> take_peer_ack() { return std::exchange(peer_ack_, std::nullopt); }
  // The peer sends nothing more; and all that it has sent has come.
  bool peer_leaves() const { return peer_leaves_; }
  bool peer_has_left() const { return peer_leaves_ && posts_.empty(); }
  // Copies are polled: there is nothing to wait for.
  bool copying() const { return copying_ > 0 || tested_ > 0; }
  bool polling() const { return out_of_places_ || untold_; }
  void forget(const LocalRegion& region) { memory_.forget(region); }
  // Nothing of that is written any more. False: something is being.
  bool let_go(const LettingGo& what);

  // Waits for what has come to land, then closes the connection: nobody writes anybody's memory any
  // more, and taken() is final. The lane is of no use then.
  void close();

 private:
  static constexpr std::size_t kFrameBuffers = 4;
  static constexpr std::size_t kSlots = 8;
  // Bounds the memory held for a hostile peer, which may announce chunks and send none.
  static constexpr std::size_t kMaxLandings = 4096;

  struct Post {
    std::size_t bytes = 0;
    std::int8_t frame_buffer = -1;       // of a frame; else the next landing's data
    std::uint64_t landing = 0;           // its number
    hawser::Request* request = nullptr;  // the Net's
    Lost lost = Lost::nothing;           // once it is done
  };
  struct Landing {
    Target target;
    std::byte* data = nullptr;  // where it is received, or lies in a frame
    Registration* registration = nullptr;
    StagingSlot slot;
    std::int8_t frame_buffer = -1;  // that must stay until it has landed
    bool direct = false;
    bool arrived = false;
    CopyQueue* copies = nullptr;
    std::uint64_t mark = 0;
    std::optional<Error> failed{};  // once what was copied all the same is seen to be finished
  };

  RxLane(std::shared_ptr<ReceiveComm> comm, const NetCapabilities& capabilities,
         std::size_t chunk_bytes, std::shared_ptr<Gpu> gpu, const UnpackOptions& unpack,
         std::shared_ptr<PageFile> page_file, RxSink& sink);
  Status make_frames();
  Landing& landing(std::uint64_t number) {
    return landings_[static_cast<std::size_t>(number - first_landing_)];
  }
  std::byte* frame(std::int8_t buffer) const;
  void await_frame();
  Result<bool> post();
  Result<bool> give_place(Landing& landing);
  Result<bool> place_directly(Landing& landing);
  bool unpacks_out_of_gpu() const;
  bool unpacks_well_to(const LocalRegion& region) const;
  std::shared_ptr<Gpu> staging_gpu(const Landing& landing) const;
  void refuse(Landing& landing, Error why);  // by this side's memory
  void give_up(Landing& landing, Error why);
  Result<bool> reap();
  Status test_posts();
  Status check_size(const Post& post, const TestResult& test) const;
  Result<bool> take_oldest();
  Status unpack(const Post& post);
  Result<Unpacker*> unpacker_for(const Post& post);
  Unpacker::Place place_of(const Post& post);
  Status take(const Post& post);
  Status take_frame(std::int8_t buffer);
  Status take_record(const wire::Record& record, std::int8_t buffer);
  template <class Chunk>
  Status take_chunk(const Chunk& chunk, std::int8_t buffer);
  Status read_frame(std::int8_t buffer);
  Status take_lost(Landing& landing, Lost lost);
  void begin_landing(Landing& landing);
  void copy_to_host();
  Status copy_to_gpu(Landing& landing);
  Result<bool> land();
  Result<bool> settle();
  void release_frame(std::int8_t buffer);

  ReceiveComm& comm_;
  const NetCapabilities capabilities_;
  const std::size_t chunk_bytes_;
  const std::size_t window_;
  const std::shared_ptr<Gpu> gpu_;
  const UnpackOptions unpack_;
  RxSink& sink_;
  LaneMemory memory_;
  std::byte* frame_memory_ = nullptr;
  Registration* frame_registration_ = nullptr;
  std::vector<std::int8_t> free_frames_;
  std::array<std::uint32_t, kFrameBuffers> frame_uses_{};
  bool frame_wanted_ = true;  // the next message is a frame, and no receive of it is posted
  std::uint64_t order_ = 0;   // of the next record
  std::deque<Post> posts_;
  std::size_t posted_ = 0;  // how many of them are
  std::size_t tested_ = 0;  // how many of these were seen done
  // By GPU; they go before memory_, whose slots they write to.
  std::unordered_map<const Gpu*, std::unique_ptr<Unpacker>> unpackers_;
  UnpackedReceives unpacked_;  // where the Net leaves what was received in a bounce pool
  std::deque<Landing> landings_;
  std::uint64_t first_landing_ = 0;  // number of the oldest
  std::size_t settled_ = 0;          // of the oldest, how many are in their places
  std::vector<std::vector<Block>> spare_pieces_;
  std::size_t copying_ = 0;
  bool untold_ = false;         // the peer has not heard of the oldest chunk's refusal
  bool out_of_places_ = false;  // the next receive waits for a slot
  std::vector<BlockCopy> block_copies_;
  // Out of the frame that is being taken, or of a slot, to host memory; and whose they are.
  std::vector<BlockCopy> host_copies_;
  struct HostLanding {
    Landing* landing;
    std::size_t end;  // of its own, in host_copies_
  };
  std::vector<HostLanding> host_landings_;
  wire::Ack taken_;
  bool due_ = false;
  bool peer_leaves_ = false;
  std::optional<wire::Ack> peer_ack_;
};

}  // namespace hawser::engine
