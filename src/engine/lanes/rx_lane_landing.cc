// What has come: unpacked, understood, and put where it belongs.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "engine/lanes/rx_lane.h"
#include "gpu/gpu.h"

namespace hawser::engine {
namespace {

// For copies to a GPU: they take a fraction of this, or never end.
constexpr Milliseconds kSettling{2000};

Error not_a_chunk(std::uint64_t bytes, std::size_t most) {
  return Error(Code::protocol,
               fmt::format("a chunk of {} bytes, where {} were agreed", bytes, most));
}

}  // namespace

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
  if (post.frame_buffer >= 0) {
    if (post.lost != Lost::nothing)
      return Error(Code::protocol, "a frame that its sender could not read");
    return take_frame(post.frame_buffer);
  }
  Landing& to = landing(post.landing);
  to.arrived = true;
  if (post.lost != Lost::nothing) return take_lost(to, post.lost);
  begin_landing(to);
  copy_to_host();
  return {};
}

// The channel has lost nothing by it.
Status RxLane::take_lost(Landing& landing, Lost lost) {
  if (!landing.target.region) return {};
  if (lost == Lost::own && !landing.direct)
    return Error(Code::internal, "memory of our own is not there");
  if (lost == Lost::own)
    refuse(landing, cannot_touch(landing.data, landing.target.bytes, Access::write));
  else
    give_up(landing, Error(Code::invalid_argument,
                           "the memory that it was sent from is not there any more"));
  return {};
}

// What a frame brings for host memory is copied there by one call for all of it, also where the
// frame ends badly: it counts as landed.
Status RxLane::take_frame(std::int8_t buffer) {
  const Status read = read_frame(buffer);
  copy_to_host();
  HAWSER_TRY(read);
  release_frame(buffer);
  return {};
}

Status RxLane::read_frame(std::int8_t buffer) {
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
  HAWSER_TRY(sink_.find_target(chunk, to.target));
  if (chunk.data.empty() && chunk.bytes > 0) {
    posts_.push_back({chunk.bytes, -1, number, nullptr});
    return {};
  }
  to.arrived = true;
  if (!to.target.region) return {};
  to.data = const_cast<std::byte*>(chunk.data.data());
  to.frame_buffer = buffer;
  ++frame_uses_[static_cast<std::size_t>(buffer)];
  begin_landing(to);
  return {};
}

void RxLane::release_frame(std::int8_t buffer) {
  if (--frame_uses_[static_cast<std::size_t>(buffer)] == 0) free_frames_.push_back(buffer);
}

// ---- to where it belongs ----

// To host memory with the next copy_to_host(). What cannot be put in its place costs its operation.
void RxLane::begin_landing(Landing& landing) {
  const Target& target = landing.target;
  if (landing.direct || !target.region || target.bytes == 0) return;
  if (target.region->gpu() != nullptr) {
    const Status copied = copy_to_gpu(landing);
    if (!copied.ok() && landing.mark == 0) refuse(landing, copied.error());
    if (!copied.ok() && landing.mark != 0) landing.failed = copied.error();
    return;
  }
  const std::byte* from = landing.data;
  for (const Block& piece : target.pieces) {
    host_copies_.push_back({target.region->range().at(piece.local_offset), from, piece.bytes});
    from += piece.bytes;
  }
  host_landings_.push_back({&landing, host_copies_.size()});
}

void RxLane::copy_to_host() {
  std::size_t next = 0;
  for (std::size_t done = 0; done < host_copies_.size();) {
    const auto outcome = memory_.careful().copy(std::span(host_copies_).subspan(done));
    done += outcome.copied;
    if (outcome.err == 0) break;
    while (host_landings_[next].end <= done) ++next;
    refuse(*host_landings_[next].landing,
           memory_.careful().failure(host_copies_[done], outcome.err));
    done = host_landings_[next].end;
  }
  host_copies_.clear();
  host_landings_.clear();
}

// With a mark, also after an error, where something may be under way.
Status RxLane::copy_to_gpu(Landing& landing) {
  const Target& target = landing.target;
  block_copies_.clear();
  const std::byte* from = landing.data;
  for (const Block& piece : target.pieces) {
    block_copies_.push_back({target.region->range().at(piece.local_offset), from, piece.bytes});
    from += piece.bytes;
  }
  HAWSER_ASSIGN(landing.copies, memory_.copies(target.region->gpu()));
  Status copied;
  if (!landing.slot && gpu_ == nullptr) {
    // A kernel cannot read a frame that is not pinned.
    for (std::size_t i = 0; i < block_copies_.size() && copied.ok(); ++i)
      copied = landing.copies->copy(block_copies_[i].destination, block_copies_[i].source,
                                    block_copies_[i].bytes);
  } else {
    copied = landing.copies->copy_blocks(block_copies_);
  }
  const Result<std::uint64_t> mark = landing.copies->mark();
  if (mark.ok()) {
    landing.mark = *mark;
    ++copying_;
  }
  return copied.ok() && !mark.ok() ? Status(mark.error()) : copied;
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
      const Result<bool> finished = next.copies->finished(next.mark);
      if (finished.ok() && !*finished) break;
      next.mark = 0;
      --copying_;
      if (!finished.ok() && !next.failed) next.failed = finished.error();
      if (next.failed && next.target.region) refuse(next, *next.failed);
    }
    if (next.slot) memory_.give_back(std::exchange(next.slot, {}));
    if (next.frame_buffer >= 0) release_frame(std::exchange(next.frame_buffer, std::int8_t{-1}));
    moved = true;
  }
  return moved;
}

// What is not under way to its place goes nowhere; a peer's write hears that it was refused.
bool RxLane::let_go(const LettingGo& what) {
  for (std::size_t i = settled_; i < landings_.size(); ++i) {
    Landing& to = landings_[i];
    Target& target = to.target;
    const bool meant = target.reply ? what.parts.contains(target.op)
                                    : target.region && target.region.get() == what.region;
    if (!meant || !target.region) continue;
    if (to.mark != 0 || (to.direct && !to.arrived)) return false;
    if (!target.reply)
      sink_.target_failed(target, Error(Code::cancelled, "the region was deregistered"));
    target.region.reset();
  }
  return true;
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
