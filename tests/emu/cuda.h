// The few calls of the CUDA driver that the emulator makes, through dlopen.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace emu {

using CudaContext = struct CUctx_st*;
using CudaPointer = unsigned long long;

// The driver, with at least one device. Thread-safe; stays loaded for ever.
class Cuda {
 public:
  // nullptr, with the reason in `why`, where there is no usable driver.
  static std::unique_ptr<Cuda> load(const std::string& library, std::string& why);

  // The calling thread's context; nullptr where it has none.
  CudaContext current() const;

  // All of these want a context, make it current while they run, and return a CUresult.
  int allocate(CudaContext context, void** device, std::size_t bytes) const;
  int free(CudaContext context, void* device) const;
  int allocate_mapped(CudaContext context, void** host, std::size_t bytes) const;
  int free_mapped(CudaContext context, void* host) const;
  int to_device(CudaContext context, void* device, const void* host, std::size_t bytes) const;
  int to_host(CudaContext context, void* host, const void* device, std::size_t bytes) const;
  int synchronize(CudaContext context) const;  // copies so far have reached the device

  bool is_device_pointer(const void* address) const;

 private:
  Cuda() = default;
  bool resolve(void* library);

  int (*init_)(unsigned) = nullptr;
  int (*device_count_)(int*) = nullptr;
  int (*context_get_)(CudaContext*) = nullptr;
  int (*context_set_)(CudaContext) = nullptr;
  int (*alloc_)(CudaPointer*, std::size_t) = nullptr;
  int (*free_)(CudaPointer) = nullptr;
  int (*host_alloc_)(void**, std::size_t, unsigned) = nullptr;
  int (*host_free_)(void*) = nullptr;
  int (*to_device_)(CudaPointer, const void*, std::size_t) = nullptr;
  int (*to_host_)(void*, CudaPointer, std::size_t) = nullptr;
  int (*stream_synchronize_)(void*) = nullptr;
  int (*pointer_attribute_)(void*, int, CudaPointer) = nullptr;

  class Entered;
};

}  // namespace emu
