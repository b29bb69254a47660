// Where a channel's requests read and write: the caller's memory, or slots of pinned host memory
// when the Net cannot reach the caller's.
#pragma once

#include <memory>
#include <optional>

#include "base/result.h"
#include "channel/chunks.h"
#include "memory/buffer.h"
#include "memory/copy_queue.h"
#include "memory/range.h"
#include "net/net.h"
#include "net/unpack/unpacker.h"

namespace hawser {

// A ring of chunk-sized slots. Not thread-safe.
class StagingRing {
 public:
  static Result<StagingRing> create(std::shared_ptr<Gpu> gpu, std::size_t slots,
                                    std::size_t slot_bytes);

  const MemoryRange& range() const { return buffer_.range(); }
  // The slot of the entry at a window position.
  std::byte* slot(std::size_t position) const;

 private:
  StagingRing(Buffer buffer, std::size_t slots, std::size_t slot_bytes)
      : buffer_(std::move(buffer)), slots_(slots), slot_bytes_(slot_bytes) {}

  Buffer buffer_;
  std::size_t slots_;
  std::size_t slot_bytes_;
};

// What both pipelines need to know of the transfer they carry out.
struct TransferPlan {
  MemoryRange memory;  // the caller's: the slots of `run`
  MessageRun run;
  std::size_t chunk_bytes = 0;
  Registration* registration = nullptr;  // of `memory`, or of the staging ring
  StagingRing* staging = nullptr;        // null: requests go straight to `memory`
  CopyQueue* copies = nullptr;           // of the staging; null where there is none
  Unpacker* unpacker = nullptr;          // null where receives need none
};

}  // namespace hawser
