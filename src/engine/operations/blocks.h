// An operation's data as blocks, and blocks as chunks: what is sent as one message.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <hawser/transfer.h>

#include "base/result.h"

namespace hawser::engine {

// The blocks of an operation: checked once, immutable, shared by whoever works on it.
class BlockList {
 public:
  // The byte `within` of block `block`.
  struct Place {
    std::size_t block = 0;
    std::uint64_t within = 0;
  };

  BlockList() = default;  // of nothing

  // Blocks of zero bytes are left out, wherever they lie; neighbours that continue each other on
  // both sides become one. Code::invalid_argument: a block, which is named by its place, reaches
  // beyond `local_bytes` or `remote_bytes`, or the sum of all does not fit into 64 bits.
  static Result<BlockList> create(std::span<const Block> blocks, std::uint64_t local_bytes,
                                  std::uint64_t remote_bytes);
  // Of a message, whose own offsets the remote ones are.
  static Result<BlockList> create(std::span<const Extent> extents, std::uint64_t local_bytes);

  std::uint64_t total() const { return total_; }
  std::size_t size() const { return entries_.size(); }
  const Block& operator[](std::size_t index) const { return entries_[index].block; }

  // Where byte `offset` of the operation's data is. At total() and beyond: {size(), 0}.
  Place find(std::uint64_t offset) const;

 private:
  struct Entry {
    Block block;
    std::uint64_t start;  // the offset of its first byte in the operation's data
  };

  template <class Source>
  static Result<BlockList> make(const Source& source, std::uint64_t local_bytes,
                                std::uint64_t remote_bytes);

  std::vector<Entry> entries_;
  std::uint64_t total_ = 0;
};

// A contiguous run of the operation's data: [offset, offset + bytes), which lies in `pieces` blocks
// from `first` on.
struct ChunkRef {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  BlockList::Place first;
  std::size_t pieces = 0;
};

// Cuts an operation into chunks, one behind the other. The list must outlive it, at its place. Not
// thread-safe; a value.
class ChunkCutter {
 public:
  explicit ChunkCutter(const BlockList& list) : list_(&list) {}

  bool empty() const { return left() == 0; }
  std::uint64_t left() const { return list_->total() - offset_; }
  // As large as it may be: at most `max_bytes` in at most `max_pieces` pieces, each at least 1. Of
  // 0 bytes where nothing is left.
  ChunkRef next(std::uint64_t max_bytes, std::size_t max_pieces);

 private:
  const BlockList* list_;
  std::uint64_t offset_ = 0;
  BlockList::Place place_;
};

// Calls f(local_offset, remote_offset, bytes) for each piece of a chunk, in order. Goes by the
// chunk's `first` and `bytes`, and never beyond the list.
template <class F>
void for_each_piece(const BlockList& list, const ChunkRef& chunk, F&& f) {
  std::uint64_t within = chunk.first.within;
  std::uint64_t left = chunk.bytes;
  for (std::size_t i = chunk.first.block; left > 0 && i < list.size(); ++i) {
    const Block& block = list[i];
    const std::uint64_t bytes = std::min(left, block.bytes - within);
    f(block.local_offset + within, block.remote_offset + within, bytes);
    left -= bytes;
    within = 0;
  }
}

}  // namespace hawser::engine
