// The few calls of the CUDA driver that the emulator makes, through dlopen.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace emu {

using CudaContext = struct CUctx_st*;
using CudaStream = struct CUstream_st*;
using CudaEvent = struct CUevent_st*;
using CudaPointer = unsigned long long;

inline constexpr int kCudaNotReady = 600;
inline constexpr int kCudaNotSupported = 801;

// The driver, with at least one device. Thread-safe; stays loaded for ever.
class Cuda {
 public:
  // nullptr, with the reason in `why`, where there is no usable driver.
  static std::unique_ptr<Cuda> load(const std::string& library, std::string& why);

  // The calling thread's context; nullptr where it has none.
  CudaContext current() const;
  // Its GPU; -1 where it has none.
  int current_gpu() const;
  std::string pci_address(int gpu) const;  // "0000:04:00.0"; "": unknown

  // All of these want a context, make it current while they run, and return a CUresult.
  int allocate(CudaContext context, void** device, std::size_t bytes) const;
  int free(CudaContext context, void* device) const;
  // Addresses of the GPU with nothing behind them, for good.
  int reserve(CudaContext context, void** nothing, std::size_t bytes) const;
  // A dma-buf of that memory. `fd` is as it was where there is none.
  int export_range(CudaContext context, const void* device, std::size_t bytes, int* fd) const;
  int allocate_mapped(CudaContext context, void** host, std::size_t bytes) const;
  int free_mapped(CudaContext context, void* host) const;
  int to_device(CudaContext context, void* device, const void* host, std::size_t bytes) const;
  int synchronize(CudaContext context, CudaStream stream = nullptr) const;

  // What a stream does later. Host memory must be page-locked: then none of these block.
  int make_stream(CudaContext context, CudaStream* stream) const;
  int destroy_stream(CudaContext context, CudaStream stream) const;
  int make_event(CudaContext context, CudaEvent* event) const;
  int destroy_event(CudaContext context, CudaEvent event) const;
  int start_to_device(CudaContext context, void* device, const void* host, std::size_t bytes,
                      CudaStream stream) const;
  int start_to_host(CudaContext context, void* host, const void* device, std::size_t bytes,
                    CudaStream stream) const;
  int start_fill(CudaContext context, void* device, unsigned char byte, std::size_t bytes,
                 CudaStream stream) const;
  int record(CudaContext context, CudaEvent event, CudaStream stream) const;
  int query(CudaContext context, CudaEvent event) const;  // kCudaNotReady: not yet

  bool is_device_pointer(const void* address) const;

 private:
  Cuda() = default;
  bool resolve(void* library);

  int (*init_)(unsigned) = nullptr;
  int (*device_count_)(int*) = nullptr;
  int (*context_get_)(CudaContext*) = nullptr;
  int (*context_device_)(int*) = nullptr;
  int (*pci_bus_id_)(char*, int, int) = nullptr;
  int (*context_set_)(CudaContext) = nullptr;
  int (*alloc_)(CudaPointer*, std::size_t) = nullptr;
  int (*free_)(CudaPointer) = nullptr;
  int (*reserve_)(CudaPointer*, std::size_t, std::size_t, CudaPointer,
                  unsigned long long) = nullptr;
  int (*export_)(void*, CudaPointer, std::size_t, int, unsigned long long) = nullptr;
  int (*host_alloc_)(void**, std::size_t, unsigned) = nullptr;
  int (*host_free_)(void*) = nullptr;
  int (*to_device_)(CudaPointer, const void*, std::size_t) = nullptr;
  int (*stream_synchronize_)(CudaStream) = nullptr;
  int (*stream_create_)(CudaStream*, unsigned) = nullptr;
  int (*stream_destroy_)(CudaStream) = nullptr;
  int (*event_create_)(CudaEvent*, unsigned) = nullptr;
  int (*event_destroy_)(CudaEvent) = nullptr;
  int (*event_record_)(CudaEvent, CudaStream) = nullptr;
  int (*event_query_)(CudaEvent) = nullptr;
  int (*to_device_async_)(CudaPointer, const void*, std::size_t, CudaStream) = nullptr;
  int (*to_host_async_)(void*, CudaPointer, std::size_t, CudaStream) = nullptr;
  int (*fill_async_)(CudaPointer, unsigned char, std::size_t, CudaStream) = nullptr;
  int (*pointer_attribute_)(void*, int, CudaPointer) = nullptr;

  class Entered;
};

}  // namespace emu
