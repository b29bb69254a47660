// Sends one range over one comm, in chunks, as many in flight as the window holds:
// (device copy into a slot) -> posted -> done, each stage in order.
#pragma once

#include "channel/chunks.h"
#include "channel/staging.h"
#include "base/sliding_window.h"

namespace hawser {

// Not thread-safe. The window is made once; begin() starts a transfer when the last is finished.
class SendPipeline {
 public:
  SendPipeline(SendComm& comm, std::size_t window) : comm_(comm), window_(window) {}

  void begin(const TransferPlan& plan);
  // Moves every stage as far as it goes without blocking. True: some entry moved.
  Result<bool> progress();
  bool finished() const { return chunks_.empty() && window_.empty(); }
  std::size_t bytes_done() const { return bytes_done_; }

 private:
  struct Entry {
    Chunk chunk;
    std::uint64_t copied = 0;  // the mark to wait for, where staged
    Request* request = nullptr;
  };

  Result<bool> fill();
  Result<bool> post();
  Result<bool> reap();
  Result<bool> ready(const Entry& entry);
  const std::byte* source(std::size_t position, const Entry& entry) const;

  SendComm& comm_;
  SlidingWindow<Entry> window_;
  std::size_t posted_ = 0;  // position of the first entry not posted yet
  TransferPlan plan_;
  Chunks chunks_;
  std::size_t bytes_done_ = 0;
};

}  // namespace hawser
