#include "engine/rx_lane.h"

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
                                               RxSink& sink) {
  std::unique_ptr<RxLane> lane(
      new RxLane(std::move(comm), capabilities, chunk_bytes, std::move(gpu), sink));
  HAWSER_TRY(lane->make_frames());
  if (lane->gpu_ != nullptr) HAWSER_TRY(lane->memory_.prepare(lane->gpu_));
  return lane;
}

RxLane::RxLane(std::shared_ptr<ReceiveComm> comm, const NetCapabilities& capabilities,
               std::size_t chunk_bytes, std::shared_ptr<Gpu> gpu, RxSink& sink)
    : comm_(*comm),
      capabilities_(capabilities),
      chunk_bytes_(chunk_bytes),
      window_(static_cast<std::size_t>(std::max(capabilities.max_requests, 1))),
      gpu_(std::move(gpu)),
      sink_(sink),
      memory_(std::move(comm), capabilities, chunk_bytes, kSlots) {}

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
  Target& target = landing.target;
  if (target.region && target.pieces.size() == 1 && memory_.reaches(*target.region.get())) {
    const auto registration = memory_.registration(*target.region.get());
    if (registration.ok()) {
      landing.direct = true;
      landing.registration = *registration;
      landing.data = target.region->range().at(target.pieces.front().local_offset);
      return true;
    }
    HAWSER_TRY(refuse(landing, registration.error()));
  }
  const std::shared_ptr<Gpu> gpu = target.region ? target.region->gpu() : nullptr;
  if ((gpu != nullptr ? memory_.free_pinned_slots() : memory_.free_plain_slots()) == 0)
    return false;
  HAWSER_ASSIGN(landing.slot, memory_.take_slot(gpu));
  landing.data = landing.slot.data;
  landing.registration = landing.slot.registration;
  return true;
}

Status RxLane::refuse(Landing& landing, Error why) {
  sink_.target_failed(landing.target, std::move(why));
  landing.target.region.reset();
  return {};
}

Result<bool> RxLane::reap() {
  bool moved = false;
  while (posted_ > 0) {
    const Post oldest = posts_.front();
    if (!unpacking_) {
      HAWSER_ASSIGN(const TestResult test, comm_.test(oldest.request));
      if (!test.done) break;
      if (oldest.frame_buffer < 0 && test.bytes && *test.bytes != oldest.bytes)
        return Error(Code::protocol, fmt::format("{} bytes came where a chunk of {} was announced",
                                                 *test.bytes, oldest.bytes));
    }
    if (capabilities_.needs_unpack) {
      HAWSER_ASSIGN(const bool is_unpacked, unpacked(oldest));
      if (!is_unpacked) break;
    }
    posts_.pop_front();
    --posted_;
    moved = true;
    HAWSER_TRY(take(oldest));
    await_frame();
    HAWSER_ASSIGN(const bool posted, post());
    moved = moved || posted;
  }
  return moved;
}

// ---- Nets that leave a receive in a bounce pool ----

Result<bool> RxLane::unpacked(const Post& post) {
  if (!unpacking_) HAWSER_TRY(unpack(post));
  if (unpack_mark_ != 0) {
    HAWSER_ASSIGN(const bool copied, unpack_copies_->finished(unpack_mark_));
    if (!copied) return false;
  }
  unpacking_ = false;
  HAWSER_TRY(comm_.consume(post.request));
  return true;
}

// Whether a kernel can write to where it is received.
bool RxLane::gpu_reaches(const Post& post) {
  if (post.frame_buffer >= 0) return gpu_ != nullptr;
  const Landing& to = landing(post.landing);
  return to.direct ? to.target.region->gpu() != nullptr : to.slot.pinned;
}

Status RxLane::unpack(const Post& post) {
  HAWSER_ASSIGN(const Fragments fragments, comm_.fragments(post.request));
  std::byte* const base =
      post.frame_buffer >= 0 ? frame(post.frame_buffer) : landing(post.landing).data;
  block_copies_.clear();
  for (const Fragment& fragment : fragments.list) {
    if (fragment.destination_offset > post.bytes ||
        fragment.bytes > post.bytes - fragment.destination_offset)
      return Error(Code::plugin, "a fragment lies beyond the receive that it belongs to");
    block_copies_.push_back({base + fragment.destination_offset,
                             fragments.bounce + fragment.source_offset, fragment.bytes});
  }
  unpacking_ = true;
  unpack_mark_ = 0;
  if (block_copies_.empty()) return {};  // it was placed without us
  const bool direct = post.frame_buffer < 0 && landing(post.landing).direct;
  std::shared_ptr<Gpu> gpu = direct ? landing(post.landing).target.region->gpu() : nullptr;
  if (gpu == nullptr && fragments.bounce_kind == MemoryKind::cuda) {
    if (gpu_ == nullptr)
      return Error(Code::unavailable,
                   "the plugin's bounce pool lies in GPU memory, and the engine "
                   "has no GPU open: give LinkOptions::gpu");
    gpu = gpu_;
  }
  HAWSER_ASSIGN(unpack_copies_, memory_.copies(gpu));
  if (fragments.bounce_kind == MemoryKind::cuda && gpu_reaches(post)) {
    HAWSER_TRY(unpack_copies_->copy_blocks(block_copies_));
  } else {
    for (const BlockCopy& copy : block_copies_)
      HAWSER_TRY(unpack_copies_->copy(copy.destination, copy.source, copy.bytes));
  }
  HAWSER_ASSIGN(unpack_mark_, unpack_copies_->mark());
  return {};
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
  memory_.close();
  landings_.clear();
}

}  // namespace hawser::engine
