// A lane as a whole: what it drives, what is on its way, its end.
#include "engine/lanes/tx_lane.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "gpu/gpu.h"

namespace hawser::engine {
namespace {

constexpr int kTag = 0;

}  // namespace

Result<std::unique_ptr<TxLane>> TxLane::create(
    std::shared_ptr<SendComm> comm, const NetCapabilities& capabilities, std::size_t chunk_bytes,
    const std::shared_ptr<Gpu>& gpu, std::shared_ptr<PageFile> page_file, TxSource& source) {
  std::unique_ptr<TxLane> lane(
      new TxLane(std::move(comm), capabilities, chunk_bytes, std::move(page_file), source));
  HAWSER_TRY(lane->make_frames());
  if (gpu != nullptr) HAWSER_TRY(lane->memory_.prepare(gpu));
  return lane;
}

TxLane::TxLane(std::shared_ptr<SendComm> comm, const NetCapabilities& capabilities,
               std::size_t chunk_bytes, std::shared_ptr<PageFile> page_file, TxSource& source)
    : comm_(*comm),
      capabilities_(capabilities),
      chunk_bytes_(chunk_bytes),
      window_(static_cast<std::size_t>(std::max(capabilities.max_requests, 1))),
      source_(source),
      memory_(std::move(comm), capabilities, true, chunk_bytes, kSlots, std::move(page_file)) {}

Status TxLane::make_frames() {
  HAWSER_ASSIGN(const LaneMemory::Own frames,
                memory_.make_own(kFrameBuffers * wire::kFrameBytes, nullptr));
  frame_memory_ = frames.data;
  frame_registration_ = frames.registration;
  for (std::size_t i = kFrameBuffers; i-- > 0;) free_frames_.push_back(static_cast<std::int8_t>(i));
  gathered_ = memory_.careful().make_own(wire::kFrameBytes);
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
    if (test.lost == Lost::own && oldest.op != nullptr)
      source_.memory_lost(oldest.op, cannot_touch(oldest.data, oldest.bytes, Access::read));
    if (oldest.frame_buffer >= 0) free_frames_.push_back(oldest.frame_buffer);
    if (oldest.slot) memory_.give_back(oldest.slot);
    oldest.op.reset();
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

bool TxLane::let_go(const LettingGo& what) {
  for (std::size_t at = posts_.begin(); at < posts_.end(); ++at)
    if (what.outgoing.contains(posts_.at(at).op)) return false;
  for (const Prepared& prepared : prepared_)
    if (prepared.mark != 0 && what.outgoing.contains(prepared.chunk.op)) return false;
  std::vector<OutChunk> dropped;
  std::erase_if(prepared_, [&](Prepared& prepared) {
    if (!what.outgoing.contains(prepared.chunk.op)) return false;
    if (prepared.slot) memory_.give_back(prepared.slot);
    plain_bytes_ -= prepared.chunk.ref.bytes;
    dropped.push_back(std::move(prepared.chunk));
    return true;
  });
  for (const OutChunk& chunk : dropped)
    source_.chunk_failed(chunk, Error(Code::timeout, "it had to end before it was sent"));
  return true;
}

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
