#include "engine/tx_lane.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "gpu/gpu.h"

namespace hawser::engine {
namespace {

constexpr int kTag = 0;

}  // namespace

Result<std::unique_ptr<TxLane>> TxLane::create(std::shared_ptr<SendComm> comm,
                                               const NetCapabilities& capabilities,
                                               std::size_t chunk_bytes,
                                               const std::shared_ptr<Gpu>& gpu, TxSource& source) {
  std::unique_ptr<TxLane> lane(new TxLane(std::move(comm), capabilities, chunk_bytes, source));
  HAWSER_TRY(lane->make_frames());
  if (gpu != nullptr) HAWSER_TRY(lane->memory_.prepare(gpu));
  return lane;
}

TxLane::TxLane(std::shared_ptr<SendComm> comm, const NetCapabilities& capabilities,
               std::size_t chunk_bytes, TxSource& source)
    : comm_(*comm),
      capabilities_(capabilities),
      chunk_bytes_(chunk_bytes),
      window_(static_cast<std::size_t>(std::max(capabilities.max_requests, 1))),
      source_(source),
      memory_(std::move(comm), capabilities, true, chunk_bytes, kSlots) {}

Status TxLane::make_frames() {
  HAWSER_ASSIGN(const LaneMemory::Own frames,
                memory_.make_own(kFrameBuffers * wire::kFrameBytes, nullptr));
  frame_memory_ = frames.data;
  frame_registration_ = frames.registration;
  for (std::size_t i = kFrameBuffers; i-- > 0;) free_frames_.push_back(static_cast<std::int8_t>(i));
  gathered_.reserve(wire::kMaxInlineBytes);
  return {};
}

std::byte* TxLane::frame_memory(std::int8_t buffer) const {
  return frame_memory_ + static_cast<std::size_t>(buffer) * wire::kFrameBytes;
}

Result<bool> TxLane::progress(TimePoint now) {
  HAWSER_ASSIGN(bool moved, reap());
  if (leaving_) {
    moved = emit_last() || moved;
  } else {
    HAWSER_ASSIGN(const bool prepared, prepare());
    HAWSER_ASSIGN(const bool emitted, emit(now));
    moved = moved || prepared || emitted;
  }
  HAWSER_ASSIGN(const bool posted, post());
  return moved || posted;
}

bool TxLane::has_told(const wire::Ack& ack) const {
  return told_.frames == ack.frames && told_.chunks == ack.chunks;
}

void TxLane::set_ack(const wire::Ack& ack, bool due) {
  ack_ = ack;
  ack_due_ = ack_due_ || due;
}

// ---- chunks, from the link to the window ----

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
  for (OutChunk& chunk : taken_) HAWSER_TRY(prepare(std::move(chunk)));
  return !taken_.empty();
}

// Small chunks of host memory are gathered into their frame; what the Net can send from where it
// is goes from there; the rest goes through a slot.
Status TxLane::prepare(OutChunk chunk) {
  Prepared prepared;
  prepared.chunk = std::move(chunk);
  const ChunkRef& ref = prepared.chunk.ref;
  LocalRegion& region = *prepared.chunk.op->region.get();
  const bool in_frame = region.gpu() == nullptr && ref.bytes <= wire::kMaxInlineBytes;
  Status made;
  if (!in_frame && ref.pieces == 1) made = send_from_place(prepared);
  if (made.ok() && !in_frame && prepared.data == nullptr) made = stage(prepared);
  if (!made.ok()) {
    if (prepared.slot) memory_.give_back(prepared.slot);
    source_.chunk_failed(prepared.chunk, made.error());
    return {};
  }
  if (prepared.mark == 0) plain_bytes_ += ref.bytes;
  prepared_.push_back(std::move(prepared));
  return {};
}

// Leaves it without data where the Net does not reach it.
Status TxLane::send_from_place(Prepared& prepared) {
  const ChunkRef& ref = prepared.chunk.ref;
  const Outgoing& op = *prepared.chunk.op;
  const std::uint64_t offset = op.blocks[ref.first.block].local_offset + ref.first.within;
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

// A frame says what there is to say, and which chunks follow it.
Result<bool> TxLane::emit(TimePoint now) {
  bool moved = false;
  while (!free_frames_.empty() && posts_.capacity() - posts_.size() > 1) {
    const std::int8_t buffer = free_frames_.back();
    wire::FrameBuilder frame({frame_memory(buffer), wire::kFrameBytes});
    // First, so that there is always room for it.
    const bool news = !has_told(ack_) && frame.add(wire::Record(ack_));
    Unacknowledged::Frame sent;
    if (ping_due_) sent.awaited = frame.add(wire::Record(wire::Ping{}));
    source_.take_messages(frame, sent.messages);
    const std::size_t chunks_before = unacknowledged_.chunks();
    const std::size_t first = posts_.end();
    posts_.push();  // the frame's; filled in below, when its length is known
    std::uint64_t following = 0;
    while (!prepared_.empty() && following < kBytesPerFrame) {
      HAWSER_ASSIGN(const bool is_ready, ready(prepared_.front()));
      if (!is_ready) break;
      const std::uint64_t bytes = prepared_.front().chunk.ref.bytes;
      HAWSER_ASSIGN(const bool added, add_chunk(frame, prepared_.front(), now));
      if (!added) break;
      following += bytes;
      prepared_.pop_front();
    }
    sent.awaited =
        sent.awaited || !sent.messages.empty() || unacknowledged_.chunks() > chunks_before;
    if (!sent.awaited && !(news && ack_due_)) {
      posts_.drop_newest();
      break;
    }
    if (news) told_ = ack_;
    const std::span<const std::byte> whole = frame.finish();
    posts_.at(first) = Post{whole.data(), whole.size(), frame_registration_, buffer, {}, nullptr};
    free_frames_.pop_back();
    if (sent.awaited) pace_.frame_sent(now);
    unacknowledged_.sent(std::move(sent));
    ack_due_ = ping_due_ = false;
    moved = true;
    HAWSER_TRY(post());
  }
  return moved;
}

// False: it is said, or there is no room.
bool TxLane::emit_last() {
  if (said_last_ || free_frames_.empty() || posts_.full()) return false;
  const std::int8_t buffer = free_frames_.back();
  free_frames_.pop_back();
  wire::FrameBuilder frame({frame_memory(buffer), wire::kFrameBytes});
  frame.add(wire::Record(ack_));
  frame.add(wire::Record(wire::Last{}));
  const std::span<const std::byte> whole = frame.finish();
  posts_.push() = Post{whole.data(), whole.size(), frame_registration_, buffer, {}, nullptr};
  unacknowledged_.sent(Unacknowledged::Frame{});
  told_ = ack_;
  return said_last_ = true;
}

// Empty: the data is to follow as a message.
std::span<const std::byte> TxLane::inline_data(const Prepared& prepared) {
  const ChunkRef& ref = prepared.chunk.ref;
  if (ref.bytes > wire::kMaxInlineBytes) return {};
  if (prepared.slot) return {prepared.slot.data, static_cast<std::size_t>(ref.bytes)};
  if (prepared.data != nullptr) return {};
  gathered_.resize(static_cast<std::size_t>(ref.bytes));
  const Outgoing& op = *prepared.chunk.op;
  std::byte* to = gathered_.data();
  for_each_piece(op.blocks, ref, [&](std::uint64_t local, std::uint64_t, std::uint64_t bytes) {
    std::memcpy(to, op.region->range().at(local), bytes);
    to += bytes;
  });
  return gathered_;
}

// False: no room in the frame, or in the window.
Result<bool> TxLane::add_chunk(wire::FrameBuilder& frame, Prepared& prepared, TimePoint now) {
  const Outgoing& op = *prepared.chunk.op;
  const ChunkRef& ref = prepared.chunk.ref;
  const bool in_frame =
      ref.bytes <= wire::kMaxInlineBytes && (prepared.slot || prepared.data == nullptr);
  if (!in_frame && posts_.full()) return false;
  const std::size_t pieces = op.kind == Outgoing::Kind::write ? ref.pieces : 0;
  if (frame.room() < wire::chunk_record_bytes(pieces, in_frame ? ref.bytes : 0)) return false;
  const std::span<const std::byte> data =
      in_frame ? inline_data(prepared) : std::span<const std::byte>{};
  const auto bytes = static_cast<std::uint32_t>(ref.bytes);
  if (op.kind == Outgoing::Kind::write) {
    pieces_.clear();
    for_each_piece(op.blocks, ref, [&](std::uint64_t, std::uint64_t remote, std::uint64_t length) {
      pieces_.push_back({remote, static_cast<std::uint32_t>(length)});
    });
    frame.add(wire::WriteChunk{op.own_op, op.tracked, op.key, bytes, pieces_, {}, data});
  } else {
    frame.add(wire::ReplyChunk{op.peer_op, ref.offset, bytes, data});
  }
  if (!in_frame) {
    posts_.push() = Post{prepared.data,         static_cast<std::size_t>(ref.bytes),
                         prepared.registration, -1,
                         prepared.slot,         nullptr};
  } else if (prepared.slot) {
    memory_.give_back(prepared.slot);
  }
  if (prepared.mark == 0) plain_bytes_ -= ref.bytes;
  pace_.sent(ref.bytes, now);
  unacknowledged_.sent(Unacknowledged::Chunk{std::move(prepared.chunk), now});
  return true;
}

// ---- the window ----

Result<bool> TxLane::post() {
  bool moved = false;
  while (posted_ < posts_.end() && posted_ - posts_.begin() < window_) {
    Post& next = posts_.at(posted_);
    HAWSER_ASSIGN(next.request, comm_.try_send(next.data, next.bytes, kTag, next.registration));
    if (next.request == nullptr) break;
    ++posted_;
    moved = true;
  }
  return moved;
}

Result<bool> TxLane::reap() {
  bool moved = false;
  while (posts_.begin() < posted_) {
    Post& oldest = posts_.oldest();
    HAWSER_ASSIGN(const TestResult test, comm_.test(oldest.request));
    if (!test.done) break;
    if (oldest.frame_buffer >= 0) free_frames_.push_back(oldest.frame_buffer);
    if (oldest.slot) memory_.give_back(oldest.slot);
    posts_.pop();
    moved = true;
  }
  return moved;
}

// ---- acknowledgements ----

Status TxLane::on_ack(const wire::Ack& ack, TimePoint now) {
  if (!unacknowledged_.allows(ack))
    return Error(Code::protocol, "the peer acknowledges more than it was sent");
  std::uint64_t awaited = 0;
  unacknowledged_.take(
      ack,
      [&](Unacknowledged::Frame& frame) {
        awaited += frame.awaited ? 1 : 0;
        std::move(frame.messages.begin(), frame.messages.end(),
                  std::back_inserter(acked_messages_));
      },
      [&](Unacknowledged::Chunk& sent) {
        pace_.acknowledged(sent.chunk.ref.bytes, sent.sent_at, now);
        acked_chunks_.push_back(std::move(sent.chunk));
      });
  pace_.frames_acknowledged(awaited, now);
  if (!acked_chunks_.empty() || !acked_messages_.empty())
    source_.acknowledged(acked_chunks_, acked_messages_);
  acked_chunks_.clear();
  acked_messages_.clear();
  return {};
}

// ---- the end ----

bool TxLane::forget(const LocalRegion& region) {
  for (std::size_t at = posts_.begin(); at < posts_.end(); ++at)
    if (memory_.is_of(posts_.at(at).registration, region)) return false;
  memory_.forget(region);
  return true;
}

Unacknowledged TxLane::close() {
  memory_.close();
  for (Prepared& prepared : prepared_)
    unacknowledged_.sent(Unacknowledged::Chunk{std::move(prepared.chunk), TimePoint{}});
  prepared_.clear();
  return std::move(unacknowledged_);
}

}  // namespace hawser::engine
