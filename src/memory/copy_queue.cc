#include "memory/copy_queue.h"

#include <fmt/core.h>

#include <cstring>
#include <utility>

#include "gpu/gpu.h"
#include "memory/careful_copies.h"

namespace hawser {
namespace {

class HostCopyQueue : public CopyQueue {
 public:
  Status copy(void* destination, const void* source, std::size_t bytes) override {
    if (bytes > 0) std::memcpy(destination, source, bytes);
    return {};
  }
  Status copy_blocks(std::span<const BlockCopy> blocks) override {
    for (const BlockCopy& block : blocks)
      HAWSER_TRY(copy(block.destination, block.source, block.bytes));
    return {};
  }
  Status prepare_blocks() override { return {}; }
  Result<std::uint64_t> mark() override { return ++marks_; }
  Result<bool> finished(std::uint64_t mark) override {
    if (mark == 0 || mark > marks_)
      return Error(Code::invalid_argument, fmt::format("copy mark {} was never made", mark));
    return true;
  }

 private:
  std::uint64_t marks_ = 0;
};

class CarefulCopyQueue final : public HostCopyQueue {
 public:
  explicit CarefulCopyQueue(const CarefulCopies& copies) : copies_(copies) {}

  Status copy(void* destination, const void* source, std::size_t bytes) override {
    const BlockCopy block{destination, source, bytes};
    return copy_blocks({&block, 1});
  }
  Status copy_blocks(std::span<const BlockCopy> blocks) override {
    const CarefulCopies::Outcome outcome = copies_.copy(blocks);
    return outcome.err == 0 ? Status() : copies_.failure(blocks[outcome.copied], outcome.err);
  }

 private:
  const CarefulCopies& copies_;
};

class GpuCopyQueue : public CopyQueue {
 public:
  explicit GpuCopyQueue(std::unique_ptr<GpuStream> stream) : stream_(std::move(stream)) {}

  Status copy(void* destination, const void* source, std::size_t bytes) override {
    return stream_->copy(destination, source, bytes);
  }
  Status copy_blocks(std::span<const BlockCopy> blocks) override {
    return stream_->copy_blocks(blocks);
  }
  Status prepare_blocks() override { return stream_->prepare_blocks(); }
  Result<std::uint64_t> mark() override { return stream_->mark(); }
  Result<bool> finished(std::uint64_t mark) override { return stream_->finished(mark); }

 private:
  std::unique_ptr<GpuStream> stream_;
};

}  // namespace

std::unique_ptr<CopyQueue> make_host_copy_queue() {
  return std::make_unique<HostCopyQueue>();
}

std::unique_ptr<CopyQueue> make_careful_copy_queue(const CarefulCopies& copies) {
  return std::make_unique<CarefulCopyQueue>(copies);
}

Result<std::unique_ptr<CopyQueue>> make_gpu_copy_queue(std::shared_ptr<Gpu> gpu, int max_marks) {
  HAWSER_ASSIGN(auto stream, GpuStream::create(std::move(gpu), max_marks));
  return std::unique_ptr<CopyQueue>(std::make_unique<GpuCopyQueue>(std::move(stream)));
}

}  // namespace hawser
