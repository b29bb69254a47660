#include "engine/lanes/rx_lane.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "gpu/gpu.h"

namespace hawser::engine {
namespace {

constexpr int kReceiveTag = 0;  // the sender's
// For copies to a GPU: they take a fraction of this, or never end.
constexpr Milliseconds kSettling{2000};

Error not_a_chunk(std::uint64_t bytes, std::size_t most) {
  return Error(Code::protocol,
               fmt::format("a chunk of {} bytes, where {} were agreed", bytes, most));
}

}  // namespace

Result<std::unique_ptr<RxLane>> RxLane::create(std::shared_ptr<ReceiveComm> comm,
                                               const NetCapabilities& capabilities,
                                               std::size_t chunk_bytes, std::shared_ptr<Gpu> gpu,
                                               const UnpackOptions& unpack, RxSink& sink) {
  std::unique_ptr<RxLane> lane(
      new RxLane(std::move(comm), capabilities, chunk_bytes, std::move(gpu), unpack, sink));
  HAWSER_TRY(lane->make_frames());
  if (lane->gpu_ != nullptr) HAWSER_TRY(lane->memory_.prepare(lane->gpu_));
  return lane;
}

RxLane::RxLane(std::shared_ptr<ReceiveComm> comm, const NetCapabilities& capabilities,
               std::size_t chunk_bytes, std::shared_ptr<Gpu> gpu, const UnpackOptions& unpack,
               RxSink& sink)
    : comm_(*comm),
      capabilities_(capabilities),
      chunk_bytes_(chunk_bytes),
      window_(static_cast<std::size_t>(std::max(capabilities.max_requests, 1))),
      gpu_(std::move(gpu)),
      unpack_(unpack),
      sink_(sink),
      memory_(std::move(comm), capabilities, !capabilities.receives_unregistered, chunk_bytes,
              kSlots),
      unpacked_(comm_, window_) {}

// Pinned where there is a GPU: what lies in a frame is copied there from where it is.
Status RxLane::make_frames() {
  HAWSER_ASSIGN(const LaneMemory::Own frames,
                memory_.make_own(kFrameBuffers * wire::kFrameBytes, gpu_));
  frame_memory_ = frames.data;
  frame_registration_ = frames.registration;
  for (std::size_t i = kFrameBuffers; i-- > 0;) free_frames_.push_back(static_cast<std::int8_t>(i));
  return {};
}

std::byte* RxLane::frame(std::int8_t buffer) const {
  return frame_memory_ + static_cast<std::size_t>(buffer) * wire::kFrameBytes;
}

Result<bool> RxLane::progress() {
  HAWSER_ASSIGN(const bool landed, land());
  await_frame();
  HAWSER_ASSIGN(const bool posted, post());
  HAWSER_ASSIGN(const bool reaped, reap());
  HAWSER_ASSIGN(const bool at_once, land());
  return landed || posted || reaped || at_once;
}

// ---- receives, in the order that frames gave ----

void RxLane::await_frame() {
  if (!frame_wanted_ || free_frames_.empty()) return;
  const std::int8_t buffer = free_frames_.back();
  free_frames_.pop_back();
  posts_.push_back({wire::kFrameBytes, buffer, 0, nullptr});
  frame_wanted_ = false;
}

Result<bool> RxLane::post() {
  bool moved = false;
  out_of_places_ = false;
  while (posted_ < posts_.size() && posted_ < window_) {
    Post& next = posts_[posted_];
    std::byte* data = nullptr;
    Registration* registration = frame_registration_;
    if (next.frame_buffer >= 0) {
      data = frame(next.frame_buffer);
    } else {
      Landing& to = landing(next.landing);
      HAWSER_ASSIGN(const bool has_place, give_place(to));
      out_of_places_ = !has_place;
      if (!has_place) break;
      data = to.data;
      registration = to.registration;
    }
    HAWSER_ASSIGN(next.request, comm_.try_receive(data, next.bytes, kReceiveTag, registration));
    if (next.request == nullptr) break;
    ++posted_;
    moved = true;
  }
  return moved;
}

// False: not yet. Directly where the Net can, and there is one place; else into a slot, from where
// a refused chunk goes nowhere.
Result<bool> RxLane::give_place(Landing& landing) {
  if (landing.data != nullptr) return true;
  if (landing.target.region && landing.target.pieces.size() == 1) {
    const auto direct = place_directly(landing);
    if (direct.ok() && *direct) return true;
    if (!direct.ok()) HAWSER_TRY(refuse(landing, direct.error()));
  }
  const std::shared_ptr<Gpu> gpu = staging_gpu(landing);
  if ((gpu != nullptr ? memory_.free_pinned_slots() : memory_.free_plain_slots()) == 0)
    return false;
  HAWSER_ASSIGN(landing.slot, memory_.take_slot(gpu));
  landing.data = landing.slot.data;
  landing.registration = landing.slot.registration;
  return true;
}

// False: the Net does not reach it.
Result<bool> RxLane::place_directly(Landing& landing) {
  const LocalRegion& region = *landing.target.region.get();
  const std::uint64_t offset = landing.target.pieces.front().local_offset;
  if (capabilities_.receives_unregistered) {
    landing.direct = unpacks_well_to(region);
  } else {
    HAWSER_ASSIGN(landing.registration, memory_.registration(region, offset));
    landing.direct = landing.registration != nullptr;
  }
  if (landing.direct) landing.data = region.range().at(offset);
  return landing.direct;
}

bool RxLane::unpacks_out_of_gpu() const {
  return capabilities_.needs_unpack && comm_.bounce_kind() == MemoryKind::cuda;
}

// Out of a pool in GPU memory one launch gets to that GPU's memory, and to pinned memory; elsewhere
// only a copy for each fragment does, and a slot on the way is faster.
bool RxLane::unpacks_well_to(const LocalRegion& region) const {
  if (!unpacks_out_of_gpu()) return true;
  if (region.gpu() == nullptr) return region.pinned();
  return gpu_ != nullptr && region.gpu()->info().ordinal == gpu_->info().ordinal;
}

// Whose pinned memory a slot is to be of; null: plain memory will do.
std::shared_ptr<Gpu> RxLane::staging_gpu(const Landing& landing) const {
  const RegionUse& region = landing.target.region;
  if (region && region->gpu() != nullptr) return region->gpu();
  return unpacks_out_of_gpu() ? gpu_ : nullptr;
}

Status RxLane::refuse(Landing& landing, Error why) {
  sink_.target_failed(landing.target, std::move(why));
  landing.target.region.reset();
  return {};
}

Result<bool> RxLane::reap() {
  bool moved = false;
  while (true) {
    HAWSER_TRY(test_posts());
    bool taken = false;
    while (true) {
      HAWSER_ASSIGN(const bool one, take_oldest());
      if (!one) break;
      taken = true;
    }
    if (!taken) return moved;
    moved = true;
  }
}

// All that are done where they are unpacked together; else one, as there is nothing to gather.
Status RxLane::test_posts() {
  const std::size_t most = capabilities_.needs_unpack ? posted_ : std::min<std::size_t>(posted_, 1);
  while (tested_ < most) {
    Post& next = posts_[tested_];
    HAWSER_ASSIGN(const TestResult test, comm_.test(next.request));
    if (!test.done) break;
    HAWSER_TRY(check_size(next, test));
    if (capabilities_.needs_unpack) HAWSER_TRY(unpack(next));
    ++tested_;
  }
  return unpacked_.submit();
}

Status RxLane::check_size(const Post& post, const TestResult& test) const {
  if (post.frame_buffer >= 0 || !test.bytes || *test.bytes == post.bytes) return {};
  return Error(Code::protocol, fmt::format("{} bytes came where a chunk of {} was announced",
                                           *test.bytes, post.bytes));
}

Result<bool> RxLane::take_oldest() {
  if (tested_ == 0) return false;
  const Post oldest = posts_.front();
  if (capabilities_.needs_unpack) {
    HAWSER_ASSIGN(const bool in_place, unpacked_.take_oldest());
    if (!in_place) return false;
  }
  posts_.pop_front();
  --posted_;
  --tested_;
  HAWSER_TRY(take(oldest));
  await_frame();
  HAWSER_TRY(post());
  return true;
}

// ---- Nets that leave a receive in a bounce pool ----

Status RxLane::unpack(const Post& post) {
  HAWSER_ASSIGN(Unpacker* const unpacker, unpacker_for(post));
  const auto arrival = unpacked_.add(post.request, *unpacker, place_of(post));
  return arrival.ok() ? Status() : arrival.error();
}

// The link's GPU does it, else the one of the memory that it goes to.
Result<Unpacker*> RxLane::unpacker_for(const Post& post) {
  std::shared_ptr<Gpu> gpu = gpu_;
  if (gpu == nullptr && post.frame_buffer < 0 && landing(post.landing).direct)
    gpu = landing(post.landing).target.region->gpu();
  std::unique_ptr<Unpacker>& unpacker = unpackers_[gpu.get()];
  if (unpacker == nullptr) {
    HAWSER_ASSIGN(unpacker, Unpacker::create(unpack_, gpu,
                                             std::max(chunk_bytes_, wire::kFrameBytes), window_));
  }
  return unpacker.get();
}

// A frame's receive is as long as frames may be, and what comes is as long as the frame.
Unpacker::Place RxLane::place_of(const Post& post) {
  if (post.frame_buffer >= 0)
    return {frame(post.frame_buffer), post.bytes, gpu_ != nullptr ? Reach::pinned : Reach::pageable,
            false};
  const Landing& to = landing(post.landing);
  if (!to.direct) return {to.data, post.bytes, to.slot.pinned ? Reach::pinned : Reach::pageable};
  const RegionUse& region = to.target.region;
  if (region->gpu() == nullptr)
    return {to.data, post.bytes, region->pinned() ? Reach::pinned : Reach::pageable};
  const bool other = gpu_ != nullptr && gpu_->info().ordinal != region->gpu()->info().ordinal;
  return {to.data, post.bytes, other ? Reach::other_gpu : Reach::gpu};
}

// ---- what has come ----

Status RxLane::take(const Post& post) {
  if (post.frame_buffer >= 0) return take_frame(post.frame_buffer);
  Landing& to = landing(post.landing);
  to.arrived = true;
  return begin_landing(to);
}

Status RxLane::take_frame(std::int8_t buffer) {
  const std::span<const std::byte, wire::kFrameHeaderBytes> header(frame(buffer),
                                                                   wire::kFrameHeaderBytes);
  HAWSER_ASSIGN(const std::size_t length, wire::frame_length(header));
  HAWSER_ASSIGN(wire::FrameReader reader, wire::FrameReader::open({frame(buffer), length}));
  frame_uses_[static_cast<std::size_t>(buffer)] = 1;
  bool more_than_ack = false;
  while (true) {
    HAWSER_ASSIGN(const std::optional<wire::Record> record, reader.next());
    if (!record) break;
    if (const auto* const ack = std::get_if<wire::Ack>(&*record)) {
      peer_ack_ = *ack;
      continue;
    }
    more_than_ack = true;
    HAWSER_TRY(take_record(*record, buffer));
  }
  ++taken_.frames;
  due_ = due_ || more_than_ack;
  frame_wanted_ = !peer_leaves_;
  release_frame(buffer);
  return {};
}

Status RxLane::take_record(const wire::Record& record, std::int8_t buffer) {
  if (const auto* const write = std::get_if<wire::WriteChunk>(&record))
    return take_chunk(*write, buffer);
  if (const auto* const reply = std::get_if<wire::ReplyChunk>(&record))
    return take_chunk(*reply, buffer);
  if (std::holds_alternative<wire::Last>(record)) {
    peer_leaves_ = true;
    return {};
  }
  if (const auto* const order = std::get_if<wire::Order>(&record)) {
    order_ = order->number;
    return {};
  }
  return sink_.take_record(std::exchange(order_, 0), record);
}

template <class Chunk>
Status RxLane::take_chunk(const Chunk& chunk, std::int8_t buffer) {
  if (chunk.bytes > chunk_bytes_ || landings_.size() == kMaxLandings)
    return not_a_chunk(chunk.bytes, chunk_bytes_);
  const std::uint64_t number = first_landing_ + landings_.size();
  Landing& to = landings_.emplace_back();
  if (!spare_pieces_.empty()) {
    to.target.pieces = std::move(spare_pieces_.back());
    to.target.pieces.clear();
    spare_pieces_.pop_back();
  }
  to.target.bytes = chunk.bytes;
  sink_.find_target(chunk, to.target);
  if (chunk.data.empty() && chunk.bytes > 0) {
    posts_.push_back({chunk.bytes, -1, number, nullptr});
    return {};
  }
  to.arrived = true;
  if (!to.target.region) return {};
  to.data = const_cast<std::byte*>(chunk.data.data());
  to.frame_buffer = buffer;
  ++frame_uses_[static_cast<std::size_t>(buffer)];
  return begin_landing(to);
}

void RxLane::release_frame(std::int8_t buffer) {
  if (--frame_uses_[static_cast<std::size_t>(buffer)] == 0) free_frames_.push_back(buffer);
}

// ---- to where it belongs ----

Status RxLane::begin_landing(Landing& landing) {
  const Target& target = landing.target;
  if (landing.direct || !target.region || target.bytes == 0) return {};
  block_copies_.clear();
  const std::byte* from = landing.data;
  for (const Block& piece : target.pieces) {
    block_copies_.push_back({target.region->range().at(piece.local_offset), from, piece.bytes});
    from += piece.bytes;
  }
  const std::shared_ptr<Gpu>& gpu = target.region->gpu();
  HAWSER_ASSIGN(landing.copies, memory_.copies(gpu));
  if (gpu != nullptr && !landing.slot && gpu_ == nullptr) {
    // A kernel cannot read a frame that is not pinned.
    for (const BlockCopy& copy : block_copies_)
      HAWSER_TRY(landing.copies->copy(copy.destination, copy.source, copy.bytes));
  } else {
    HAWSER_TRY(landing.copies->copy_blocks(block_copies_));
  }
  if (gpu == nullptr) return {};  // the bytes are there
  HAWSER_ASSIGN(landing.mark, landing.copies->mark());
  ++copying_;
  return {};
}

Result<bool> RxLane::land() {
  HAWSER_ASSIGN(bool moved, settle());
  untold_ = false;
  while (settled_ > 0) {
    Landing& oldest = landings_.front();
    const MessagePtr& refusal = oldest.target.refusal;
    untold_ = refusal != nullptr && !refusal->heard.load(std::memory_order_relaxed);
    if (untold_) break;
    if (oldest.target.region) sink_.landed(oldest.target);
    spare_pieces_.push_back(std::move(oldest.target.pieces));
    landings_.pop_front();
    --settled_;
    ++first_landing_;
    ++taken_.chunks;
    due_ = true;
    moved = true;
  }
  return moved;
}

// What is in its place needs no memory of ours any more, also behind one that the peer has to hear
// of: its answer needs that memory.
Result<bool> RxLane::settle() {
  bool moved = false;
  for (; settled_ < landings_.size() && landings_[settled_].arrived; ++settled_) {
    Landing& next = landings_[settled_];
    if (next.mark != 0) {
      HAWSER_ASSIGN(const bool finished, next.copies->finished(next.mark));
      if (!finished) break;
      --copying_;
    }
    if (next.slot) memory_.give_back(std::exchange(next.slot, {}));
    if (next.frame_buffer >= 0) release_frame(std::exchange(next.frame_buffer, std::int8_t{-1}));
    moved = true;
  }
  return moved;
}

void RxLane::close() {
  Backoff backoff;
  const Deadline deadline = Deadline::after(kSettling);
  while (copying_ > 0 && !deadline.expired()) {
    const Result<bool> moved = land();
    if (!moved.ok()) break;
    if (!*moved) backoff.idle();
  }
  unpackers_.clear();  // waits for what they write, and read of the pool
  tested_ = 0;
  memory_.close();
  landings_.clear();
}

}  // namespace hawser::engine
