#include "engine/operations/message_copies.h"

#include <algorithm>
#include <utility>

namespace hawser::engine {

MessageCopies::MessageCopies(std::shared_ptr<PageFile> page_file)
    : copies_(std::move(page_file)), scratch_(copies_.make_own(wire::kMaxInlineBytes)) {}

Result<std::vector<std::byte>> MessageCopies::collect(const BlockList& blocks,
                                                      const LocalRegion& region) {
  const std::lock_guard lock(mutex_);
  blocks_.clear();
  std::byte* to = scratch_;
  for_each_piece(blocks, ChunkRef{0, blocks.total(), {}, 0},
                 [&](std::uint64_t local, std::uint64_t, std::uint64_t bytes) {
                   blocks_.push_back({to, region.range().at(local), bytes});
                   to += bytes;
                 });
  HAWSER_TRY(copy());
  return std::vector<std::byte>(scratch_, to);
}

Status MessageCopies::spread(std::span<const std::byte> data, const BlockList& blocks,
                             const LocalRegion& region) {
  const std::lock_guard lock(mutex_);
  std::copy(data.begin(), data.end(), scratch_);
  blocks_.clear();
  const std::byte* from = scratch_;
  for_each_piece(blocks, ChunkRef{0, data.size(), {}, 0},
                 [&](std::uint64_t local, std::uint64_t, std::uint64_t bytes) {
                   blocks_.push_back({region.range().at(local), from, bytes});
                   from += bytes;
                 });
  return copy();
}

Status MessageCopies::copy() {
  const CarefulCopies::Outcome outcome = copies_.copy(blocks_);
  return outcome.err == 0 ? Status() : copies_.failure(blocks_[outcome.copied], outcome.err);
}

}  // namespace hawser::engine
