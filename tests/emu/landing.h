// Where the bytes of one receive after another go: pieces in pages of a pool.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "bounce_pool.h"
#include "copy_ring.h"
#include "fragment_cutter.h"

namespace emu {

// Bytes go straight to a pool in host memory, and to one on a GPU by way of page-locked memory:
// then the copies go on after finish_batch(). A batch is some pieces, each on a page of its own.
// One thread at a time; no call blocks.
class Landing {
 public:
  static constexpr std::uint32_t kBatchPages = BouncePool::kGpuExtentPages;

  // What copies to a pool there; nullptr in host memory, where nothing does, and on failure.
  static std::unique_ptr<CopyRing> make_ring(const Place& place);
  Landing(FragmentKind kind, std::uint32_t seed, BouncePool& pool, std::unique_ptr<CopyRing> ring);
  ~Landing() { pool_.leave(this); }
  Landing(const Landing&) = delete;
  Landing& operator=(const Landing&) = delete;

  // The next receive, once the one before is whole. False: its pieces are too many.
  bool begin(std::uint32_t bytes);
  bool whole() const { return next_ == lengths_.size() && batch_.empty(); }
  void give_up() { pool_.leave(this); }  // nothing more will come
  void arrange(std::span<LoadMeta> list) { cutter_.arrange(list); }

  enum class Room { open, no_page, busy, failed };
  Room open_batch();  // busy: earlier copies must end first

  // Where the next bytes of an open batch belong, at most `most` of them; valid until the next
  // call.
  std::span<const iovec> room(std::uint64_t most);
  std::byte& byte(std::uint64_t offset);  // of those bytes
  void arrived(std::size_t bytes);        // so many of them are there
  bool batch_full() const { return filled_ == batch_.size(); }

  // What the batch consists of, until it is finished.
  std::span<const LoadMeta> pieces() const { return batch_; }
  std::span<const std::uint32_t> pages() const { return {pages_.data(), batch_.size()}; }
  bool finish_batch();  // false: the GPU failed

  // Copies to the GPU: ever started, and whether the first so many have ended as of the last
  // poll().
  std::uint64_t copies() const { return ring_ == nullptr ? 0 : ring_->started(); }
  bool copied(std::uint64_t copies) const {
    return ring_ == nullptr || ring_->finished() >= copies;
  }
  bool poll();  // false: one failed

 private:
  std::byte* memory_of(std::uint32_t page) const;
  void place_pieces(std::size_t count);
  void place_piece(std::uint32_t page);

  BouncePool& pool_;
  const std::unique_ptr<CopyRing> ring_;
  FragmentCutter cutter_;
  std::mt19937 random_;

  std::vector<std::uint32_t> lengths_;  // of the receive's pieces
  std::size_t next_ = 0;                // of these, the first that has no page yet
  std::uint64_t offset_ = 0;            // where it belongs in the posted buffer

  std::array<std::uint32_t, kBatchPages> pages_{};
  std::vector<LoadMeta> batch_;
  std::vector<iovec> left_;  // of each piece, what has not arrived
  std::size_t filled_ = 0;   // pieces that have arrived whole
  std::array<iovec, kBatchPages> shown_{};
};

}  // namespace emu
