// GPUs, through the CUDA driver API, looked up at run time: no driver, no GPUs.
// Only this layer knows CUDA's names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "gpu/driver.h"

namespace hawser {

struct GpuInfo {
  int ordinal = 0;
  std::string name;
  std::string pci_bus_id;  // "0000:04:00.0"
  std::size_t memory_bytes = 0;
  int compute_major = 0;
  int compute_minor = 0;
  bool dma_buf = false;  // can its memory be exported as a dma-buf
};

// A GPU with its primary context retained. Thread-safe, but for the thread's
// current context: call make_current() in every thread that uses it.
class Gpu {
 public:
  static Result<std::shared_ptr<Gpu>> open(std::shared_ptr<const CudaDriver> driver, int ordinal);
  ~Gpu();
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;

  const CudaDriver& driver() const { return *driver_; }
  const GpuInfo& info() const { return info_; }
  Status make_current() const;

  // Device memory, aligned by the driver (at least 256 B).
  Result<void*> allocate(std::size_t bytes) const;
  Status free(void* device_memory) const;
  // Page-locked host memory, readable and writable by the GPU and by us.
  Result<void*> allocate_pinned(std::size_t bytes) const;
  Status free_pinned(void* pinned_memory) const;

  // Synchronous: the copy has finished when it returns.
  Status copy_to_device(void* device, const void* host, std::size_t bytes) const;
  Status copy_to_host(void* host, const void* device, std::size_t bytes) const;

 private:
  Gpu(std::shared_ptr<const CudaDriver> driver, GpuInfo info, CUcontext context);

  std::shared_ptr<const CudaDriver> driver_;
  GpuInfo info_;
  CUcontext context_;
};

// A stream of a GPU and the events recorded on it. Not thread-safe; the calling
// thread must have the GPU current.
class GpuStream {
 public:
  // A mark in the stream: finished when all that was queued before it is.
  // At most `max_marks` unfinished ones at a time; events are made once, here.
  static Result<std::unique_ptr<GpuStream>> create(std::shared_ptr<Gpu> gpu, int max_marks);
  ~GpuStream();

  // Any of device to device, host to device and device to host (pinned host memory
  // for these to be asynchronous).
  Status copy(void* destination, const void* source, std::size_t bytes);
  Result<std::uint64_t> mark();             // marks count 1, 2, 3 ...
  Result<bool> finished(std::uint64_t mark);
  Status synchronize();

 private:
  GpuStream(std::shared_ptr<Gpu> gpu, CUstream stream);

  std::shared_ptr<Gpu> gpu_;
  CUstream stream_;
  std::vector<CUevent> events_;
  std::uint64_t marks_ = 0;
  std::uint64_t finished_ = 0;
};

// All GPUs the driver shows; empty where there are none. The error says why
// there is no usable driver, and what to do.
Result<std::vector<GpuInfo>> list_gpus(const CudaDriver& driver);

// Where an address lives, as the driver sees it: host memory where it does not know it.
bool is_device_pointer(const CudaDriver& driver, const void* address);

}  // namespace hawser
