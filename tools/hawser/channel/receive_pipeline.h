// Receives one range over one comm, in chunks: posted -> done -> landed, each stage in order.
// Landing is nothing (placed directly), a copy out of a staging slot, or the unpacking of the
// fragments in a bounce pool; pages go back to the pool only once their copy has finished.
#pragma once

#include "base/sliding_window.h"
#include "channel/chunks.h"
#include "channel/staging.h"
#include "net/unpack/unpacked_receives.h"

namespace hawser {

// Not thread-safe. The window is made once; begin() starts a transfer when the last is finished.
class ReceivePipeline {
 public:
  ReceivePipeline(ReceiveComm& comm, std::size_t window)
      : comm_(comm), window_(window), unpacked_(comm, window) {}

  void begin(const TransferPlan& plan);
  // Moves every stage as far as it goes without blocking. True: some entry moved.
  Result<bool> progress();
  bool finished() const { return chunks_.empty() && window_.empty(); }
  std::size_t bytes_done() const { return bytes_done_; }

 private:
  struct Entry {
    Chunk chunk;
    Request* request = nullptr;
    std::uint64_t copied = 0;  // the mark of its copy out of a staging slot; 0: there is none
  };

  Result<bool> post();
  Result<bool> reap();
  Result<bool> land();
  Status begin_landing(std::size_t position, Entry& entry);
  Status unpack(const Entry& entry);
  Result<bool> landed(const Entry& entry);
  std::byte* target(std::size_t position, const Entry& entry) const;

  ReceiveComm& comm_;
  SlidingWindow<Entry> window_;
  UnpackedReceives unpacked_;
  std::size_t tested_ = 0;  // position of the first entry not seen done
  std::size_t most_in_flight_ = 0;
  TransferPlan plan_;
  Chunks chunks_;
  std::size_t bytes_done_ = 0;
};

}  // namespace hawser
