// The data of small messages, out of memory of users and into it.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/operations/blocks.h"
#include "engine/region_table.h"
#include "memory/careful_copies.h"

namespace hawser::engine {

// Of host memory that may not be there: Code::invalid_argument then. Thread-safe.
class MessageCopies {
 public:
  // `page_file` may be null.
  explicit MessageCopies(std::shared_ptr<PageFile> page_file);

  // All bytes of it, at most wire::kMaxInlineBytes.
  Result<std::vector<std::byte>> collect(const BlockList& blocks, const LocalRegion& region);
  Status spread(std::span<const std::byte> data, const BlockList& blocks,
                const LocalRegion& region);

 private:
  Status copy();

  std::mutex mutex_;  // guards what follows
  CarefulCopies copies_;
  std::byte* const scratch_;
  std::vector<BlockCopy> blocks_;
};

}  // namespace hawser::engine
