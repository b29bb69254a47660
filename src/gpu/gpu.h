// GPUs, through the CUDA driver API, looked up at run time: no driver, no GPUs.
// Only this layer knows CUDA's names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "gpu/block_copy.h"
#include "gpu/driver.h"

namespace hawser {

class BlockKernel;
class BlockRing;
class UnpackKernel;
struct UnpackReceive;

struct GpuInfo {
  int ordinal = 0;
  std::string name;
  std::string pci_bus_id;  // "0000:04:00.0", lower case as in sysfs
  std::size_t memory_bytes = 0;
  int compute_major = 0;
  int compute_minor = 0;
  // Others' writes to its memory are in no order with its own reads, but for a flush.
  bool flushes_remote_writes = false;
  bool dma_buf = false;  // can its memory be exported as a dma-buf
};

// A kernel, or why there is none, from the first call on. Thread-safe.
template <class Which>
class LazyKernel {
 public:
  // `make` is called once, ever.
  template <class Make>
  Result<const Which*> get(Make&& make) const {
    std::call_once(once_, [&] {
      Result<std::unique_ptr<Which>> made = make();
      if (made.ok())
        kernel_ = std::move(*made);
      else
        error_ = made.error();
    });
    if (error_) return *error_;
    return kernel_.get();
  }
  bool loaded() const { return kernel_ != nullptr; }
  void unload() { kernel_.reset(); }

 private:
  mutable std::once_flag once_;  // guards these two
  mutable std::unique_ptr<Which> kernel_;
  mutable std::optional<Error> error_;
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

  // What GpuStream::copy_blocks launches, loaded at the first call; the reason, which is logged
  // then, where the driver cannot. As long as the GPU is open.
  Result<const BlockKernel*> block_kernel() const;
  // The same for GpuStream::unpack.
  Result<const UnpackKernel*> unpack_kernel() const;

  // For calls of others (a plugin's, say) that need a current context.
  Status make_current() const;

  // Device memory, aligned by the driver (at least 256 B), not zeroed. Not for the CPU to touch.
  Result<void*> allocate(std::size_t bytes) const;
  // Waits for the GPU's work on it.
  Status free(void* device_memory) const;
  // Page-locked host memory, readable and writable by every GPU and by the CPU; not zeroed.
  Result<void*> allocate_pinned(std::size_t bytes) const;
  Status free_pinned(void* pinned_memory) const;

  // The whole allocation that `device_memory` lies in, another process's included.
  Result<std::span<std::byte>> allocation_of(const void* device_memory) const;
  // What others (a NIC) wrote to this GPU's memory before the call is seen by what is queued after
  // it. Costs nothing where the GPU keeps that order by itself.
  Status take_in_remote_writes() const;

  // Synchronous: on return the bytes are there, for every stream and for the CPU.
  // Any host memory will do. Not ordered after copies on a GpuStream.
  Status copy_to_device(void* device, const void* host, std::size_t bytes) const;
  Status copy_to_host(void* host, const void* device, std::size_t bytes) const;

 private:
  Gpu(std::shared_ptr<const CudaDriver> driver, GpuInfo info, CUdevice device, CUcontext context);
  Status copy(CUdeviceptr to, CUdeviceptr from, std::size_t bytes) const;
  template <class Which>
  Result<std::unique_ptr<Which>> load_kernel(const char* purpose, const char* consequence) const;

  std::shared_ptr<const CudaDriver> driver_;
  GpuInfo info_;
  CUdevice device_;
  CUcontext context_;
  LazyKernel<BlockKernel> block_kernel_;
  LazyKernel<UnpackKernel> unpack_kernel_;
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

  // The same for many blocks, gathered or scattered by one launch of a kernel per 4096 pieces of
  // 8 KiB. Each end of a block is memory of this GPU, or pinned; any offset, any length. No block's
  // destination may overlap another block; they are copied in no order. Memory that is neither
  // is a fault that the GPU finds late, and that loses all there is in it. The span itself may go
  // on return. Allocates nothing but at the first call; waits only while some 12,000 earlier
  // pieces are unfinished. A few blocks, and large ones, are copied one by one; and so are all
  // where the driver cannot load the kernel. After an error some may have been queued.
  Status copy_blocks(std::span<const BlockCopy> blocks);
  // What the first copy_blocks would make; takes milliseconds, and the driver may let it wait for
  // whatever runs on the GPU.
  Status prepare_blocks();

  // Receives that lie in fragments, put in place by one launch for each
  // UnpackKernel::kMostReceives. Descriptors, fragments and destinations are memory of this GPU, or
  // pinned. No fragment's destination may overlap another's. `longest`: the bytes of the longest
  // fragment. Code::unavailable where the driver cannot load the kernel. Waits for nothing.
  Status unpack(std::span<const UnpackReceive> receives, std::uint32_t longest);

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
  Status copy_each(std::span<const BlockCopy> blocks);
  Result<BlockRing*> block_ring();

  std::shared_ptr<Gpu> gpu_;
  CUstream stream_;
  std::unique_ptr<BlockRing> block_ring_;  // from the first copy_blocks on
  std::vector<CUevent> events_;            // a ring, by mark
  std::uint64_t marks_ = 0;                // made
  std::uint64_t finished_ = 0;             // the last one known to be finished
};

// All GPUs the driver shows, by ordinal.
Result<std::vector<GpuInfo>> list_gpus(const CudaDriver& driver);

// Where an address lives, as the driver sees it: host memory where it does not know it.
bool is_device_pointer(const CudaDriver& driver, const void* address);
// Pinned host memory, which every GPU reads.
bool is_pinned_pointer(const CudaDriver& driver, const void* address);
// The ordinal of the GPU whose memory it is; none for host memory, pinned or not.
std::optional<int> gpu_of_pointer(const CudaDriver& driver, const void* address);

}  // namespace hawser
