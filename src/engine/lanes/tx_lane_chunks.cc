// Chunks, from the link to a frame: how the data of each travels.
#include <algorithm>
#include <span>
#include <utility>

#include "engine/lanes/tx_lane.h"
#include "gpu/gpu.h"

namespace hawser::engine {

Result<bool> TxLane::prepare() {
  // What is being copied out of a GPU is not on its way yet: slots bound it.
  const std::uint64_t out = pace_.outstanding() + plain_bytes_;
  const std::uint64_t most = pace_.worth_having_out(chunk_bytes_);
  if (prepared_.size() >= kPrepared || unacknowledged_.chunks() >= kMaxUnacked || out >= most)
    return false;
  taken_.clear();
  const std::size_t room =
      std::min(kPrepared - prepared_.size(), kMaxUnacked - unacknowledged_.chunks());
  source_.take_chunks(
      {room, most - out, memory_.free_plain_slots(), memory_.free_pinned_slots(), chunk_bytes_},
      taken_);
  for (OutChunk& chunk : taken_) prepare(std::move(chunk));
  return !taken_.empty();
}

void TxLane::prepare(OutChunk chunk) {
  Prepared prepared;
  prepared.chunk = std::move(chunk);
  const Status chosen = choose_way(prepared);
  if (!chosen.ok()) {
    if (prepared.slot) memory_.give_back(prepared.slot);
    source_.chunk_failed(prepared.chunk, chosen.error());
    return;
  }
  if (prepared.mark == 0) plain_bytes_ += prepared.chunk.ref.bytes;
  prepared_.push_back(std::move(prepared));
}

// Small chunks of host memory are gathered into their frame; what the Net can send from where it
// is goes from there; the rest goes through a slot, into the frame where it is small.
Status TxLane::choose_way(Prepared& prepared) {
  const ChunkRef& ref = prepared.chunk.ref;
  const bool small = ref.bytes <= wire::kMaxInlineBytes;
  if (small && prepared.chunk.op->region->gpu() == nullptr) {
    prepared.in_frame = true;
    return {};
  }
  if (ref.pieces == 1) HAWSER_TRY(send_from_place(prepared));
  if (prepared.data != nullptr) return {};
  prepared.in_frame = small;
  return stage(prepared);
}

// Leaves it without data where the Net does not reach it.
Status TxLane::send_from_place(Prepared& prepared) {
  const ChunkRef& ref = prepared.chunk.ref;
  const Outgoing& op = *prepared.chunk.op;
  const std::uint64_t offset = op.blocks[ref.first.block].local_offset + ref.first.within;
  HAWSER_TRY(memory_.check(*op.region.get(), offset, ref.bytes, Access::read));
  HAWSER_ASSIGN(prepared.registration, memory_.registration(*op.region.get(), offset));
  if (prepared.registration != nullptr) prepared.data = op.region->range().at(offset);
  return {};
}

Status TxLane::stage(Prepared& prepared) {
  const Outgoing& op = *prepared.chunk.op;
  HAWSER_ASSIGN(prepared.copies, memory_.copies(op.region->gpu()));
  HAWSER_ASSIGN(prepared.slot, memory_.take_slot(op.region->gpu()));
  block_copies_.clear();
  std::byte* to = prepared.slot.data;
  for_each_piece(op.blocks, prepared.chunk.ref,
                 [&](std::uint64_t local, std::uint64_t, std::uint64_t bytes) {
                   block_copies_.push_back({to, op.region->range().at(local), bytes});
                   to += bytes;
                 });
  HAWSER_TRY(prepared.copies->copy_blocks(block_copies_));
  HAWSER_ASSIGN(prepared.mark, prepared.copies->mark());
  prepared.data = prepared.slot.data;
  prepared.registration = prepared.slot.registration;
  return {};
}

Result<bool> TxLane::ready(const Prepared& prepared) {
  return prepared.mark == 0 ? Result<bool>(true) : prepared.copies->finished(prepared.mark);
}

// ---- frames ----

Result<bool> TxLane::emit(TimePoint now) {
  bool moved = false;
  while (!free_frames_.empty() && posts_.capacity() - posts_.size() > 1) {
    HAWSER_ASSIGN(const bool emitted, emit_frame(now));
    if (!emitted) break;
    moved = true;
    HAWSER_TRY(post());
  }
  return moved;
}

// A frame says what there is to say, and which chunks follow it. False: there is nothing to say.
Result<bool> TxLane::emit_frame(TimePoint now) {
  const std::int8_t buffer = free_frames_.back();
  wire::FrameBuilder frame({frame_memory(buffer), wire::kFrameBytes});
  // First, so that there is always room for it.
  const bool news = !has_told(ack_) && frame.add(wire::Record(ack_));
  Unacknowledged::Frame sent;
  if (ping_due_) sent.awaited = frame.add(wire::Record(wire::Ping{}));
  source_.take_messages(frame, sent.messages);
  const std::size_t position = posts_.end();
  posts_.push();  // the frame's, before those of its chunks; filled in when its length is known
  HAWSER_ASSIGN(const std::size_t chunks, add_chunks(frame, now));
  sent.awaited = sent.awaited || !sent.messages.empty() || chunks > 0;
  if (!sent.awaited && !(news && ack_due_)) {
    posts_.drop_newest();
    return false;
  }
  if (news) told_ = ack_;
  post_frame(position, buffer, frame);
  if (sent.awaited) pace_.frame_sent(now);
  unacknowledged_.sent(std::move(sent));
  ack_due_ = ping_due_ = false;
  return true;
}

// `buffer` is the last of the free ones.
void TxLane::post_frame(std::size_t position, std::int8_t buffer, wire::FrameBuilder& frame) {
  const std::span<const std::byte> whole = frame.finish();
  posts_.at(position) =
      Post{whole.data(), whole.size(), frame_registration_, buffer, {}, nullptr, nullptr};
  free_frames_.pop_back();
}

// False: it is said, or there is no room.
bool TxLane::emit_last() {
  if (said_last_ || free_frames_.empty() || posts_.full()) return false;
  const std::int8_t buffer = free_frames_.back();
  wire::FrameBuilder frame({frame_memory(buffer), wire::kFrameBytes});
  frame.add(wire::Record(ack_));
  frame.add(wire::Record(wire::Last{}));
  const std::size_t position = posts_.end();
  posts_.push();
  post_frame(position, buffer, frame);
  unacknowledged_.sent(Unacknowledged::Frame{});
  told_ = ack_;
  return said_last_ = true;
}

// As many as are ready and find room; how many.
Result<std::size_t> TxLane::add_chunks(wire::FrameBuilder& frame, TimePoint now) {
  std::size_t added = 0;
  gathered_bytes_ = 0;
  for (std::uint64_t bytes = 0; !prepared_.empty() && bytes < kBytesPerFrame;) {
    Prepared& oldest = prepared_.front();
    if (oldest.in_frame && oldest.data == nullptr) gather(frame.room());
    const Result<bool> is_ready = ready(oldest);
    if (!is_ready.ok() || oldest.lost) {
      fail_oldest(oldest.lost ? *oldest.lost : is_ready.error());
      continue;
    }
    const std::uint64_t own = oldest.chunk.ref.bytes;
    if (!*is_ready || !add_chunk(frame, oldest, now)) break;
    bytes += own;
    ++added;
    prepared_.pop_front();
  }
  forget_gathered();
  return added;
}

// Its memory could not be read: that is its operation's end, and nobody else's.
void TxLane::fail_oldest(Error why) {
  const Prepared oldest = std::move(prepared_.front());
  prepared_.pop_front();
  if (oldest.slot) memory_.give_back(oldest.slot);
  if (oldest.mark == 0) plain_bytes_ -= oldest.chunk.ref.bytes;
  oldest.chunk.op->region->note_loss(why);
  source_.chunk_failed(oldest.chunk, std::move(why));
}

// False: no room in the frame, or in the window.
bool TxLane::add_chunk(wire::FrameBuilder& frame, Prepared& prepared, TimePoint now) {
  const ChunkRef& ref = prepared.chunk.ref;
  const auto bytes = static_cast<std::size_t>(ref.bytes);
  if (!prepared.in_frame && posts_.full()) return false;
  const bool writes = prepared.chunk.op->kind == Outgoing::Kind::write;
  if (frame.room() <
      wire::chunk_record_bytes(writes ? ref.pieces : 0, prepared.in_frame ? bytes : 0))
    return false;
  if (!prepared.in_frame) {
    add_record(frame, prepared, {});
    posts_.push() = Post{prepared.data,
                         bytes,
                         prepared.registration,
                         -1,
                         prepared.slot,
                         nullptr,
                         prepared.slot ? nullptr : prepared.chunk.op};
  } else if (prepared.slot) {
    add_record(frame, prepared, {prepared.slot.data, bytes});
    memory_.give_back(prepared.slot);
  } else {
    add_record(frame, prepared, {prepared.data, bytes});
  }
  if (prepared.mark == 0) plain_bytes_ -= ref.bytes;
  pace_.sent(ref.bytes, now);
  unacknowledged_.sent(Unacknowledged::Chunk{std::move(prepared.chunk), now});
  return true;
}

// `data` empty: it follows as a message.
void TxLane::add_record(wire::FrameBuilder& frame, const Prepared& prepared,
                        std::span<const std::byte> data) {
  const Outgoing& op = *prepared.chunk.op;
  const ChunkRef& ref = prepared.chunk.ref;
  const auto bytes = static_cast<std::uint32_t>(ref.bytes);
  if (op.kind != Outgoing::Kind::write) {
    frame.add(wire::ReplyChunk{op.peer_op, ref.offset, bytes, data});
    return;
  }
  pieces_.clear();
  for_each_piece(op.blocks, ref, [&](std::uint64_t, std::uint64_t remote, std::uint64_t length) {
    pieces_.push_back({remote, static_cast<std::uint32_t>(length)});
  });
  frame.add(wire::WriteChunk{op.own_op, op.tracked, op.key, bytes, pieces_, {}, data});
}

// Of the next chunks those that the frame has room for, out of host memory by one call.
void TxLane::gather(std::size_t room) {
  block_copies_.clear();
  gather_ends_.clear();
  for (Prepared& next : prepared_) {
    const Outgoing& op = *next.chunk.op;
    const ChunkRef& ref = next.chunk.ref;
    const std::size_t pieces = op.kind == Outgoing::Kind::write ? ref.pieces : 0;
    const std::size_t record = wire::chunk_record_bytes(pieces, ref.bytes);
    if (!next.in_frame || next.data != nullptr || record > room) break;
    room -= record;
    next.data = gathered_ + gathered_bytes_;
    for_each_piece(op.blocks, ref, [&](std::uint64_t local, std::uint64_t, std::uint64_t bytes) {
      block_copies_.push_back({gathered_ + gathered_bytes_, op.region->range().at(local), bytes});
      gathered_bytes_ += bytes;
    });
    gather_ends_.push_back(block_copies_.size());
  }
  gather_but_for_lost();
}

void TxLane::gather_but_for_lost() {
  std::size_t chunk = 0;
  for (std::size_t done = 0; done < block_copies_.size();) {
    const auto outcome = memory_.careful().copy(std::span(block_copies_).subspan(done));
    done += outcome.copied;
    if (outcome.err == 0) return;
    while (gather_ends_[chunk] <= done) ++chunk;
    prepared_[chunk].lost = memory_.careful().failure(block_copies_[done], outcome.err);
    done = gather_ends_[chunk];
  }
}

// What found no room in the frame is gathered anew for the next one.
void TxLane::forget_gathered() {
  for (Prepared& left : prepared_) {
    if (!left.in_frame || left.slot || left.data == nullptr) return;
    left.data = nullptr;
    left.lost.reset();
  }
}

}  // namespace hawser::engine
