#include "gpu_blocks/ways.h"

#include <utility>

#include "gpu/block_ring.h"
#include "gpu_blocks/batch_copy.h"

namespace hawser::bench {
namespace {

class KernelWay : public Way {
 public:
  KernelWay(std::unique_ptr<BlockRing> ring, CUstream stream)
      : ring_(std::move(ring)), stream_(stream) {}
  const char* name() const override { return "kernel"; }
  Status queue(std::span<const BlockCopy> blocks) override { return ring_->copy(blocks, stream_); }

 private:
  std::unique_ptr<BlockRing> ring_;
  CUstream stream_;
};

class EachWay : public Way {
 public:
  EachWay(const CudaDriver& driver, CUstream stream) : driver_(driver), stream_(stream) {}
  const char* name() const override { return "each"; }
  Status queue(std::span<const BlockCopy> blocks) override {
    for (const BlockCopy& block : blocks)
      HAWSER_TRY(
          check_cuda(driver_,
                     driver_.cuMemcpyAsync(device_address(block.destination),
                                           device_address(block.source), block.bytes, stream_),
                     "cuMemcpyAsync"));
    return {};
  }

 private:
  const CudaDriver& driver_;
  CUstream stream_;
};

}  // namespace

Result<std::unique_ptr<Ways>> Ways::make(std::shared_ptr<Gpu> gpu) {
  HAWSER_TRY(gpu->make_current());
  const CudaDriver& driver = gpu->driver();
  CUstream stream = nullptr;
  HAWSER_TRY(
      check_cuda(driver, driver.cuStreamCreate(&stream, 1 /* non-blocking */), "cuStreamCreate"));
  auto ways = std::unique_ptr<Ways>(new Ways(gpu, stream));
  HAWSER_ASSIGN(const BlockKernel* const kernel, gpu->block_kernel());
  HAWSER_ASSIGN(auto ring, BlockRing::create(gpu, *kernel));
  ways->ways_.push_back(std::make_unique<KernelWay>(std::move(ring), stream));
  ways->ways_.push_back(std::make_unique<EachWay>(driver, stream));
  if (auto batch = make_batch_way(*gpu, stream)) ways->ways_.push_back(std::move(batch));
  return ways;
}

Ways::~Ways() {
  (void)finish();
  gpu_->driver().cuStreamDestroy(stream_);
}

Status Ways::finish() const {
  const CudaDriver& driver = gpu_->driver();
  return check_cuda(driver, driver.cuStreamSynchronize(stream_), "cuStreamSynchronize");
}

}  // namespace hawser::bench
