#include "engine/operations/blocks.h"

#include <fmt/core.h>

#include <limits>
#include <optional>

namespace hawser::engine {
namespace {

constexpr std::uint64_t kMaxOffset = std::numeric_limits<std::uint64_t>::max();

// What an operation's blocks come from: how many, which, and how messages call them. `start` is the
// sum of all bytes before.
struct GivenBlocks {
  static constexpr const char* kName = "block";
  std::span<const Block> blocks;

  std::size_t size() const { return blocks.size(); }
  Block block(std::size_t index, std::uint64_t /*start*/) const { return blocks[index]; }
};

struct GivenExtents {
  static constexpr const char* kName = "extent";
  std::span<const Extent> extents;

  std::size_t size() const { return extents.size(); }
  Block block(std::size_t index, std::uint64_t start) const {
    return {extents[index].offset, start, extents[index].bytes};
  }
};

bool reaches_beyond(std::uint64_t offset, std::uint64_t bytes, std::uint64_t limit) {
  return offset > limit || bytes > limit - offset;
}

// Both have been checked: their ends fit into 64 bits.
bool goes_on(const Block& last, const Block& block) {
  return last.local_offset + last.bytes == block.local_offset &&
         last.remote_offset + last.bytes == block.remote_offset;
}

Error beyond(const char* name, std::size_t index, std::uint64_t offset, std::uint64_t bytes,
             const char* side, std::uint64_t limit) {
  return Error(Code::invalid_argument,
               fmt::format("{} {}: {} bytes at {} reach beyond the {} region of {} bytes", name,
                           index, bytes, offset, side, limit));
}

// What the blocks are together.
struct Summary {
  std::size_t merged = 0;
  std::uint64_t total = 0;
};

template <class Source>
Result<Summary> check_blocks(const Source& source, std::uint64_t local_bytes,
                             std::uint64_t remote_bytes) {
  Summary out;
  std::optional<Block> last;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const Block block = source.block(i, out.total);
    if (block.bytes == 0) continue;
    if (reaches_beyond(block.local_offset, block.bytes, local_bytes))
      return beyond(Source::kName, i, block.local_offset, block.bytes, "local", local_bytes);
    if (block.bytes > kMaxOffset - out.total)
      return Error(Code::invalid_argument,
                   fmt::format("{} {}: with its {} bytes the sum is more than 64 bits hold",
                               Source::kName, i, block.bytes));
    if (reaches_beyond(block.remote_offset, block.bytes, remote_bytes))
      return beyond(Source::kName, i, block.remote_offset, block.bytes, "remote", remote_bytes);
    if (!last || !goes_on(*last, block)) ++out.merged;
    out.total += block.bytes;
    last = block;
  }
  return out;
}

}  // namespace

// Goes twice over the blocks, so that it allocates once, and no more than it keeps.
template <class Source>
Result<BlockList> BlockList::make(const Source& source, std::uint64_t local_bytes,
                                  std::uint64_t remote_bytes) {
  Summary summary;
  HAWSER_ASSIGN(summary, check_blocks(source, local_bytes, remote_bytes));
  BlockList out;
  out.entries_.reserve(summary.merged);
  for (std::size_t i = 0; i < source.size(); ++i) {
    const Block block = source.block(i, out.total_);
    if (block.bytes == 0) continue;
    if (!out.entries_.empty() && goes_on(out.entries_.back().block, block))
      out.entries_.back().block.bytes += block.bytes;
    else
      out.entries_.push_back({block, out.total_});
    out.total_ += block.bytes;
  }
  return out;
}

Result<BlockList> BlockList::create(std::span<const Block> blocks, std::uint64_t local_bytes,
                                    std::uint64_t remote_bytes) {
  return make(GivenBlocks{blocks}, local_bytes, remote_bytes);
}

Result<BlockList> BlockList::create(std::span<const Extent> extents, std::uint64_t local_bytes) {
  return make(GivenExtents{extents}, local_bytes, kMaxOffset);
}

BlockList::Place BlockList::find(std::uint64_t offset) const {
  if (offset >= total_) return {size(), 0};
  const auto behind =
      std::upper_bound(entries_.begin(), entries_.end(), offset,
                       [](std::uint64_t value, const Entry& entry) { return value < entry.start; });
  const auto index = static_cast<std::size_t>(behind - entries_.begin()) - 1;
  return {index, offset - entries_[index].start};
}

ChunkRef ChunkCutter::next(std::uint64_t max_bytes, std::size_t max_pieces) {
  ChunkRef chunk{offset_, 0, place_, 0};
  while (place_.block < list_->size() && chunk.pieces < max_pieces && chunk.bytes < max_bytes) {
    const std::uint64_t here = (*list_)[place_.block].bytes - place_.within;
    const std::uint64_t bytes = std::min(here, max_bytes - chunk.bytes);
    chunk.bytes += bytes;
    ++chunk.pieces;
    place_ = bytes == here ? BlockList::Place{place_.block + 1, 0}
                           : BlockList::Place{place_.block, place_.within + bytes};
  }
  offset_ += chunk.bytes;
  return chunk;
}

}  // namespace hawser::engine
