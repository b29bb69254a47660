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
  std::string pci_bus_id;  // "0000:04:00.0", lower case as in sysfs
  std::size_t memory_bytes = 0;
  int compute_major = 0;
  int compute_minor = 0;
  bool dma_buf = false;  // can its memory be exported as a dma-buf
};

// A GPU with its primary context retained. Thread-safe. Every method makes the GPU the
// calling thread's current one, and leaves it so.
class Gpu {
 public:
  // Code::unavailable, naming what there is, for an ordinal that there is not.
  static Result<std::shared_ptr<Gpu>> open(std::shared_ptr<const CudaDriver> driver, int ordinal);
  ~Gpu();
  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;

  const CudaDriver& driver() const { return *driver_; }
  const GpuInfo& info() const { return info_; }
  std::string label() const;  // "GPU 0 (NVIDIA H200)"

  // For calls of others (a plugin's, say) that need a current context.
  Status make_current() const;

  // Device memory, aligned by the driver (at least 256 B), not zeroed. Not for the CPU to touch.
  Result<void*> allocate(std::size_t bytes) const;
  // Waits for the GPU's work on it.
  Status free(void* device_memory) const;
  // Page-locked host memory, readable and writable by every GPU and by the CPU; not zeroed.
  Result<void*> allocate_pinned(std::size_t bytes) const;
  Status free_pinned(void* pinned_memory) const;

  // Synchronous: on return the bytes are there, for every stream and for the CPU.
  // Any host memory will do. Not ordered after copies on a GpuStream.
  Status copy_to_device(void* device, const void* host, std::size_t bytes) const;
  Status copy_to_host(void* host, const void* device, std::size_t bytes) const;

 private:
  Gpu(std::shared_ptr<const CudaDriver> driver, GpuInfo info, CUdevice device, CUcontext context);
  Status copy(CUdeviceptr to, CUdeviceptr from, std::size_t bytes) const;

  std::shared_ptr<const CudaDriver> driver_;
  GpuInfo info_;
  CUdevice device_;
  CUcontext context_;
};

// A stream of a GPU and the events recorded on it. Copies run in the order they were
// queued, and in no order with other streams, the null stream included. Not thread-safe,
// but not bound to one thread; its methods make the GPU the calling thread's current one.
class GpuStream {
 public:
  // At most `max_marks` unfinished marks at a time; their events are made here, once.
  static Result<std::unique_ptr<GpuStream>> create(std::shared_ptr<Gpu> gpu, int max_marks);
  // Waits for what is queued, so that its memory may go afterwards.
  ~GpuStream();
  GpuStream(const GpuStream&) = delete;
  GpuStream& operator=(const GpuStream&) = delete;

  // Any of device to device, host to device and device to host; asynchronous where the host
  // memory is pinned. Both sides must stay as they are until a mark after it is finished.
  Status copy(void* destination, const void* source, std::size_t bytes);

  // A mark in the stream, finished when all that was queued before it is; what these copies
  // wrote is then visible to the CPU and to every other stream. Marks count 1, 2, 3 ...
  // One more than max_marks is Code::invalid_argument.
  Result<std::uint64_t> mark();
  Result<bool> finished(std::uint64_t mark);  // never blocks
  Status synchronize();                       // waits for all that is queued

 private:
  GpuStream(std::shared_ptr<Gpu> gpu, CUstream stream);
  CUevent event_of(std::uint64_t mark) const { return events_[(mark - 1) % events_.size()]; }
  Result<bool> poll(std::uint64_t mark);

  std::shared_ptr<Gpu> gpu_;
  CUstream stream_;
  std::vector<CUevent> events_;  // a ring, by mark
  std::uint64_t marks_ = 0;      // made
  std::uint64_t finished_ = 0;   // the last one known to be finished
};

// All GPUs the driver shows, by ordinal.
Result<std::vector<GpuInfo>> list_gpus(const CudaDriver& driver);

// Where an address lives, as the driver sees it: host memory where it does not know it.
bool is_device_pointer(const CudaDriver& driver, const void* address);

}  // namespace hawser
