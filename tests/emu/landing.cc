#include "landing.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace emu {
namespace {

constexpr std::size_t kRingWindows = 8;  // 1 MiB

}  // namespace

std::unique_ptr<CopyRing> Landing::make_ring(const Place& place) {
  if (!place.on_gpu()) return nullptr;
  return CopyRing::create(*place.cuda, place.context, kRingWindows,
                          std::size_t{kBatchPages} * kPageBytes);
}

Landing::Landing(FragmentKind kind, std::uint32_t seed, BouncePool& pool,
                 std::unique_ptr<CopyRing> ring)
    : pool_(pool), ring_(std::move(ring)), cutter_(kind, seed), random_(seed) {
  lengths_.reserve(kMaxFragments);
  batch_.reserve(kBatchPages);
  left_.reserve(kBatchPages);
}

bool Landing::begin(std::uint32_t bytes) {
  next_ = 0;
  offset_ = 0;
  return cutter_.cut(bytes, lengths_);
}

bool Landing::poll() {
  if (ring_ == nullptr) return true;
  if (!ring_->poll()) return false;
  ring_->release_finished();
  return true;
}

Landing::Room Landing::open_batch() {
  if (!batch_.empty()) return Room::open;
  if (ring_ != nullptr && ring_->full()) return Room::busy;
  const std::size_t need = lengths_.size() - next_;
  const std::size_t most = std::min<std::size_t>(need, kBatchPages);
  const std::size_t got =
      pool_.take(this, static_cast<std::uint32_t>(need), std::span(pages_).first(most));
  if (got == 0) return pool_.usable() ? Room::no_page : Room::failed;
  place_pieces(got);
  return Room::open;
}

// Neighbouring pages do not get neighbouring pieces.
void Landing::place_pieces(std::size_t count) {
  std::array<std::uint32_t, kBatchPages> order;
  std::copy_n(pages_.begin(), count, order.begin());
  if (ring_ != nullptr) std::shuffle(order.begin(), order.begin() + count, random_);
  for (std::size_t i = 0; i < count; ++i) place_piece(order[i]);
}

// On a GPU the batch's pages are neighbours, as they are in the window.
std::byte* Landing::memory_of(std::uint32_t page) const {
  if (ring_ == nullptr) return pool_.page(page);
  return ring_->next() + std::size_t{page - pages_[0]} * kPageBytes;
}

void Landing::place_piece(std::uint32_t page) {
  const std::uint32_t length = lengths_[next_++];
  const std::uint32_t shift = cutter_.shift(length);
  std::byte* const memory = memory_of(page);
  if (ring_ != nullptr && length < kPageBytes) std::memset(memory, kPoison, kPageBytes);
  batch_.push_back({page * kPageBytes + shift, length, offset_});
  left_.push_back({memory + shift, length});
  offset_ += length;
}

std::span<const iovec> Landing::room(std::uint64_t most) {
  std::size_t count = 0;
  for (std::size_t i = filled_; i < left_.size() && most > 0; ++i) {
    const std::size_t bytes = std::min<std::uint64_t>(left_[i].iov_len, most);
    shown_[count++] = {left_[i].iov_base, bytes};
    most -= bytes;
  }
  return {shown_.data(), count};
}

std::byte& Landing::byte(std::uint64_t offset) {
  std::size_t at = filled_;
  for (; offset >= left_[at].iov_len; ++at) offset -= left_[at].iov_len;
  return static_cast<std::byte*>(left_[at].iov_base)[offset];
}

void Landing::arrived(std::size_t bytes) {
  while (bytes > 0) {
    iovec& piece = left_[filled_];
    const std::size_t of_it = std::min(bytes, piece.iov_len);
    piece = {static_cast<std::byte*>(piece.iov_base) + of_it, piece.iov_len - of_it};
    if (piece.iov_len == 0) ++filled_;
    bytes -= of_it;
  }
}

bool Landing::finish_batch() {
  const std::size_t count = batch_.size();
  batch_.clear();
  left_.clear();
  filled_ = 0;
  return ring_ == nullptr || ring_->to_device(pool_.page(pages_[0]), count * kPageBytes);
}

}  // namespace emu
