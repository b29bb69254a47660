// Receives: posted in the order that frames gave, and taken in that order.
#include "engine/lanes/rx_lane.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "gpu/gpu.h"

namespace hawser::engine {
namespace {

constexpr int kReceiveTag = 0;  // the sender's

}  // namespace

Result<std::unique_ptr<RxLane>> RxLane::create(std::shared_ptr<ReceiveComm> comm,
                                               const NetCapabilities& capabilities,
                                               std::size_t chunk_bytes, std::shared_ptr<Gpu> gpu,
                                               const UnpackOptions& unpack,
                                               std::shared_ptr<PageFile> page_file, RxSink& sink) {
  std::unique_ptr<RxLane> lane(new RxLane(std::move(comm), capabilities, chunk_bytes,
                                          std::move(gpu), unpack, std::move(page_file), sink));
  HAWSER_TRY(lane->make_frames());
  if (lane->gpu_ != nullptr) HAWSER_TRY(lane->memory_.prepare(lane->gpu_));
  return lane;
}

RxLane::RxLane(std::shared_ptr<ReceiveComm> comm, const NetCapabilities& capabilities,
               std::size_t chunk_bytes, std::shared_ptr<Gpu> gpu, const UnpackOptions& unpack,
               std::shared_ptr<PageFile> page_file, RxSink& sink)
    : comm_(*comm),
      capabilities_(capabilities),
      chunk_bytes_(chunk_bytes),
      window_(static_cast<std::size_t>(std::max(capabilities.max_requests, 1))),
      gpu_(std::move(gpu)),
      unpack_(unpack),
      sink_(sink),
      memory_(std::move(comm), capabilities, !capabilities.receives_unregistered, chunk_bytes,
              kSlots, std::move(page_file)),
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
    if (!direct.ok()) refuse(landing, direct.error());
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
  HAWSER_TRY(memory_.check(region, offset, landing.target.bytes, Access::write));
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

// What the CPU unpacks goes to memory of our own first: a user's may vanish meanwhile.
// Out of a pool in GPU memory one launch gets to that GPU's memory, and to pinned memory; elsewhere
// only a copy for each fragment does, and a slot on the way is faster.
bool RxLane::unpacks_well_to(const LocalRegion& region) const {
  if (!unpacks_out_of_gpu())
    return !capabilities_.needs_unpack || region.gpu() != nullptr || region.pinned();
  if (region.gpu() == nullptr) return region.pinned();
  return gpu_ != nullptr && region.gpu()->info().ordinal == gpu_->info().ordinal;
}

// Whose pinned memory a slot is to be of; null: plain memory will do.
std::shared_ptr<Gpu> RxLane::staging_gpu(const Landing& landing) const {
  const RegionUse& region = landing.target.region;
  if (region && region->gpu() != nullptr) return region->gpu();
  return unpacks_out_of_gpu() ? gpu_ : nullptr;
}

void RxLane::refuse(Landing& landing, Error why) {
  landing.target.region->note_loss(why);
  give_up(landing, std::move(why));
}

void RxLane::give_up(Landing& landing, Error why) {
  sink_.target_failed(landing.target, std::move(why));
  landing.target.region.reset();
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
    next.lost = test.lost;
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

}  // namespace hawser::engine
