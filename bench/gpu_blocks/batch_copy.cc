#include "gpu_blocks/batch_copy.h"

#include <dlfcn.h>

#include <vector>

namespace hawser::bench {
namespace {

// CUmemcpyAttributes.
struct BatchLocation {
  int type = 0;
  int id = 0;
};
struct BatchAttributes {
  int source_order = 1;  // CU_MEMCPY_SRC_ACCESS_ORDER_STREAM
  BatchLocation source_hint;
  BatchLocation destination_hint;
  unsigned flags = 0;
};
static_assert(sizeof(BatchAttributes) == 24);

using BatchOf128 = CUresult(CUdeviceptr*, CUdeviceptr*, std::size_t*, std::size_t, BatchAttributes*,
                            std::size_t*, std::size_t, std::size_t* failed, CUstream);
using BatchOf130 = CUresult(CUdeviceptr*, CUdeviceptr*, std::size_t*, std::size_t, BatchAttributes*,
                            std::size_t*, std::size_t, CUstream);

class BatchWay : public Way {
 public:
  BatchWay(const CudaDriver& driver, CUstream stream, BatchOf130* newer, BatchOf128* older)
      : driver_(driver), stream_(stream), newer_(newer), older_(older) {}

  const char* name() const override { return "batch"; }
  Status queue(std::span<const BlockCopy> blocks) override {
    to_.clear(), from_.clear(), bytes_.clear();
    for (const BlockCopy& block : blocks) {
      to_.push_back(device_address(block.destination));
      from_.push_back(device_address(block.source));
      bytes_.push_back(block.bytes);
    }
    return check_cuda(driver_, call(), "cuMemcpyBatchAsync");
  }

 private:
  CUresult call() {
    BatchAttributes attributes;
    std::size_t first = 0;
    if (newer_ != nullptr)
      return newer_(to_.data(), from_.data(), bytes_.data(), to_.size(), &attributes, &first, 1,
                    stream_);
    std::size_t failed = 0;
    return older_(to_.data(), from_.data(), bytes_.data(), to_.size(), &attributes, &first, 1,
                  &failed, stream_);
  }

  const CudaDriver& driver_;
  CUstream stream_;
  BatchOf130* newer_;
  BatchOf128* older_;
  std::vector<CUdeviceptr> to_, from_;
  std::vector<std::size_t> bytes_;
};

}  // namespace

std::unique_ptr<Way> make_batch_way(const Gpu& gpu, CUstream stream) {
  void* const library = dlopen(gpu.driver().library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return nullptr;
  auto* const newer = reinterpret_cast<BatchOf130*>(dlsym(library, "cuMemcpyBatchAsync_v2"));
  auto* const older = reinterpret_cast<BatchOf128*>(dlsym(library, "cuMemcpyBatchAsync"));
  if (newer == nullptr && older == nullptr) return nullptr;
  return std::make_unique<BatchWay>(gpu.driver(), stream, newer, older);
}

}  // namespace hawser::bench
