#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/log.h"
#include "gpu/block_ring.h"
#include "gpu/gpu.h"
#include "gpu/unpack_kernel.h"

namespace hawser {
namespace {

constexpr unsigned kStreamNonBlocking = 1;
constexpr unsigned kEventDisableTiming = 2;
// For so few, a copy each is not slower than a launch.
constexpr std::ptrdiff_t kFewBlocks = 2;
// From so many bytes on a launch is better than a copy even of one block: alone it is a tenth
// slower, but beside the copies of other streams the copy engines are half as fast
// (docs/performance.md).
constexpr std::size_t kManyBytes = 64 * 1024;

}  // namespace

Result<std::unique_ptr<GpuStream>> GpuStream::create(std::shared_ptr<Gpu> gpu, int max_marks) {
  if (max_marks < 1)
    return Error(Code::invalid_argument, fmt::format("a GPU stream with {} marks", max_marks));
  HAWSER_TRY(gpu->make_current());
  const CudaDriver& driver = gpu->driver();
  CUstream made = nullptr;
  HAWSER_TRY(
      check_cuda(driver, driver.cuStreamCreate(&made, kStreamNonBlocking), "cuStreamCreate"));
  auto stream = std::unique_ptr<GpuStream>(new GpuStream(std::move(gpu), made));
  for (int i = 0; i < max_marks; ++i) {
    CUevent event = nullptr;
    HAWSER_TRY(
        check_cuda(driver, driver.cuEventCreate(&event, kEventDisableTiming), "cuEventCreate"));
    stream->events_.push_back(event);
  }
  return stream;
}

GpuStream::GpuStream(std::shared_ptr<Gpu> gpu, CUstream stream)
    : gpu_(std::move(gpu)), stream_(stream) {}

GpuStream::~GpuStream() {
  const CudaDriver& driver = gpu_->driver();
  if (const Status status = synchronize(); !status.ok())
    log_warning("closing a stream of {}: {}", gpu_->label(), status.error().message());
  for (CUevent event : events_) driver.cuEventDestroy(event);
  driver.cuStreamDestroy(stream_);
}

Status GpuStream::copy(void* destination, const void* source, std::size_t bytes) {
  if (bytes == 0) return {};
  HAWSER_TRY(gpu_->make_current());
  const CudaDriver& driver = gpu_->driver();
  return check_cuda(
      driver,
      driver.cuMemcpyAsync(device_address(destination), device_address(source), bytes, stream_),
      "cuMemcpyAsync");
}

Status GpuStream::copy_blocks(std::span<const BlockCopy> blocks) {
  const auto add = [](std::size_t sum, const BlockCopy& block) { return sum + block.bytes; };
  if (std::count_if(blocks.begin(), blocks.end(), BlockRing::takes) <= kFewBlocks &&
      std::accumulate(blocks.begin(), blocks.end(), std::size_t{0}, add) < kManyBytes)
    return copy_each(blocks);
  HAWSER_ASSIGN(BlockRing* const ring, block_ring());
  if (ring == nullptr) return copy_each(blocks);
  for (const BlockCopy& block : blocks)
    if (!BlockRing::takes(block)) HAWSER_TRY(copy(block.destination, block.source, block.bytes));
  return ring->copy(blocks, stream_);
}

Status GpuStream::copy_each(std::span<const BlockCopy> blocks) {
  for (const BlockCopy& block : blocks)
    HAWSER_TRY(copy(block.destination, block.source, block.bytes));
  return {};
}

Status GpuStream::prepare_blocks() {
  const auto ring = block_ring();
  return ring.ok() ? Status() : ring.error();
}

// Null where there is no kernel: the GPU has said why.
Result<BlockRing*> GpuStream::block_ring() {
  const auto kernel = gpu_->block_kernel();
  if (!kernel.ok()) return nullptr;
  if (block_ring_ == nullptr) {
    HAWSER_ASSIGN(block_ring_, BlockRing::create(gpu_, **kernel));
  }
  return block_ring_.get();
}

Status GpuStream::unpack(std::span<const UnpackReceive> receives, std::uint32_t longest) {
  HAWSER_ASSIGN(const UnpackKernel* const kernel, gpu_->unpack_kernel());
  for (std::size_t done = 0; done < receives.size(); done += UnpackKernel::kMostReceives) {
    const auto some =
        receives.subspan(done, std::min(receives.size() - done, UnpackKernel::kMostReceives));
    HAWSER_TRY(kernel->launch(some, longest, stream_));
  }
  return {};
}

// The ring's slot of the new mark is that of the mark made max_marks ago.
Result<std::uint64_t> GpuStream::mark() {
  const std::uint64_t next = marks_ + 1;
  if (next > events_.size()) {
    HAWSER_ASSIGN(const bool free, finished(next - events_.size()));
    if (!free)
      return Error(
          Code::invalid_argument,
          fmt::format("{} marks of a GPU stream are unfinished, and it was made for no more",
                      events_.size()));
  }
  HAWSER_TRY(gpu_->make_current());
  const CudaDriver& driver = gpu_->driver();
  HAWSER_TRY(check_cuda(driver, driver.cuEventRecord(event_of(next), stream_), "cuEventRecord"));
  return marks_ = next;
}

Result<bool> GpuStream::finished(std::uint64_t mark) {
  if (mark == 0 || mark > marks_)
    return Error(Code::invalid_argument, fmt::format("copy mark {} was never made", mark));
  if (mark <= finished_) return true;
  return poll(mark);
}

// A stream is in order: once a mark is finished, so are all before it.
Result<bool> GpuStream::poll(std::uint64_t mark) {
  HAWSER_TRY(gpu_->make_current());
  const CudaDriver& driver = gpu_->driver();
  const CUresult result = driver.cuEventQuery(event_of(mark));
  if (result == kCudaNotReady) return false;
  HAWSER_TRY(check_cuda(driver, result, "cuEventQuery"));
  finished_ = mark;
  return true;
}

Status GpuStream::synchronize() {
  HAWSER_TRY(gpu_->make_current());
  const CudaDriver& driver = gpu_->driver();
  HAWSER_TRY(check_cuda(driver, driver.cuStreamSynchronize(stream_), "cuStreamSynchronize"));
  finished_ = marks_;
  return {};
}

}  // namespace hawser
