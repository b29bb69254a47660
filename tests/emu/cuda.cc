#include "cuda.h"

#include <dlfcn.h>

#include <cctype>
#include <cstdint>

namespace emu {
namespace {

constexpr unsigned kHostAllocPortableMapped = 0x1 | 0x2;
constexpr unsigned kStreamNonBlocking = 1;
constexpr unsigned kEventDisableTiming = 2;
constexpr int kAttributeMemoryType = 2;
constexpr unsigned kMemoryTypeDevice = 2;
constexpr int kRangeHandleDmaBuf = 1;
constexpr std::size_t kReserveUnit = std::size_t{2} << 20;  // what GPUs want

CudaPointer as_pointer(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address);
}

template <typename Function>
bool look_up(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

void* open_library(const std::string& name) {
  if (void* loaded = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD)) return loaded;
  return dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
}

}  // namespace

// Makes a context current, and the caller's again at the end.
class Cuda::Entered {
 public:
  Entered(const Cuda& cuda, CudaContext context) : cuda_(cuda), before_(cuda.current()) {
    changed_ = before_ != context;
    if (changed_) cuda_.context_set_(context);
  }
  ~Entered() {
    if (changed_) cuda_.context_set_(before_);
  }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

 private:
  const Cuda& cuda_;
  CudaContext before_;
  bool changed_ = false;
};

bool Cuda::resolve(void* library) {
  return look_up(library, "cuInit", init_) && look_up(library, "cuDeviceGetCount", device_count_) &&
         look_up(library, "cuCtxGetCurrent", context_get_) &&
         look_up(library, "cuCtxSetCurrent", context_set_) &&
         look_up(library, "cuCtxGetDevice", context_device_) &&
         look_up(library, "cuDeviceGetPCIBusId", pci_bus_id_) &&
         look_up(library, "cuMemAddressReserve", reserve_) &&
         look_up(library, "cuMemGetHandleForAddressRange", export_) &&
         look_up(library, "cuMemAlloc_v2", alloc_) && look_up(library, "cuMemFree_v2", free_) &&
         look_up(library, "cuMemHostAlloc", host_alloc_) &&
         look_up(library, "cuMemFreeHost", host_free_) &&
         look_up(library, "cuMemcpyHtoD_v2", to_device_) &&
         look_up(library, "cuMemcpyHtoDAsync_v2", to_device_async_) &&
         look_up(library, "cuMemcpyDtoHAsync_v2", to_host_async_) &&
         look_up(library, "cuMemsetD8Async", fill_async_) &&
         look_up(library, "cuStreamCreate", stream_create_) &&
         look_up(library, "cuStreamDestroy_v2", stream_destroy_) &&
         look_up(library, "cuStreamSynchronize", stream_synchronize_) &&
         look_up(library, "cuEventCreate", event_create_) &&
         look_up(library, "cuEventDestroy_v2", event_destroy_) &&
         look_up(library, "cuEventRecord", event_record_) &&
         look_up(library, "cuEventQuery", event_query_) &&
         look_up(library, "cuPointerGetAttribute", pointer_attribute_);
}

std::unique_ptr<Cuda> Cuda::load(const std::string& name, std::string& why) {
  void* library = open_library(name);
  if (library == nullptr) {
    why = "no CUDA driver library " + name;
    return nullptr;
  }
  std::unique_ptr<Cuda> cuda(new Cuda);
  if (!cuda->resolve(library)) {
    why = name + " lacks functions of the CUDA driver";
    return nullptr;
  }
  int count = 0;
  const int result = cuda->init_(0);
  if (result == 0 && cuda->device_count_(&count) == 0 && count > 0) return cuda;
  why = name + " shows no device (cuInit: " + std::to_string(result) + ")";
  return nullptr;
}

CudaContext Cuda::current() const {
  CudaContext context = nullptr;
  return context_get_(&context) == 0 ? context : nullptr;
}

int Cuda::current_gpu() const {
  int gpu = -1;
  return current() != nullptr && context_device_(&gpu) == 0 ? gpu : -1;
}

std::string Cuda::pci_address(int gpu) const {
  char text[32] = {};
  if (pci_bus_id_(text, sizeof text, gpu) != 0) return "";
  std::string address = text;
  for (char& letter : address) letter = static_cast<char>(std::tolower(letter));
  return address;
}

int Cuda::reserve(CudaContext context, void** nothing, std::size_t bytes) const {
  const Entered entered(*this, context);
  CudaPointer pointer = 0;
  const int result =
      reserve_(&pointer, (bytes + kReserveUnit - 1) / kReserveUnit * kReserveUnit, 0, 0, 0);
  *nothing = reinterpret_cast<void*>(static_cast<std::uintptr_t>(pointer));
  return result;
}

int Cuda::export_range(CudaContext context, const void* device, std::size_t bytes, int* fd) const {
  const Entered entered(*this, context);
  return export_(fd, as_pointer(device), bytes, kRangeHandleDmaBuf, 0);
}

int Cuda::allocate(CudaContext context, void** device, std::size_t bytes) const {
  const Entered entered(*this, context);
  CudaPointer pointer = 0;
  const int result = alloc_(&pointer, bytes);
  *device = reinterpret_cast<void*>(static_cast<std::uintptr_t>(pointer));
  return result;
}

int Cuda::free(CudaContext context, void* device) const {
  const Entered entered(*this, context);
  return free_(as_pointer(device));
}

int Cuda::allocate_mapped(CudaContext context, void** host, std::size_t bytes) const {
  const Entered entered(*this, context);
  return host_alloc_(host, bytes, kHostAllocPortableMapped);
}

int Cuda::free_mapped(CudaContext context, void* host) const {
  const Entered entered(*this, context);
  return host_free_(host);
}

int Cuda::to_device(CudaContext context, void* device, const void* host, std::size_t bytes) const {
  const Entered entered(*this, context);
  return to_device_(as_pointer(device), host, bytes);
}

int Cuda::synchronize(CudaContext context, CudaStream stream) const {
  const Entered entered(*this, context);
  return stream_synchronize_(stream);
}

int Cuda::make_stream(CudaContext context, CudaStream* stream) const {
  const Entered entered(*this, context);
  return stream_create_(stream, kStreamNonBlocking);
}

int Cuda::destroy_stream(CudaContext context, CudaStream stream) const {
  const Entered entered(*this, context);
  return stream_destroy_(stream);
}

int Cuda::make_event(CudaContext context, CudaEvent* event) const {
  const Entered entered(*this, context);
  return event_create_(event, kEventDisableTiming);
}

int Cuda::destroy_event(CudaContext context, CudaEvent event) const {
  const Entered entered(*this, context);
  return event_destroy_(event);
}

int Cuda::start_to_device(CudaContext context, void* device, const void* host, std::size_t bytes,
                          CudaStream stream) const {
  const Entered entered(*this, context);
  return to_device_async_(as_pointer(device), host, bytes, stream);
}

int Cuda::start_to_host(CudaContext context, void* host, const void* device, std::size_t bytes,
                        CudaStream stream) const {
  const Entered entered(*this, context);
  return to_host_async_(host, as_pointer(device), bytes, stream);
}

int Cuda::start_fill(CudaContext context, void* device, unsigned char byte, std::size_t bytes,
                     CudaStream stream) const {
  const Entered entered(*this, context);
  return fill_async_(as_pointer(device), byte, bytes, stream);
}

int Cuda::record(CudaContext context, CudaEvent event, CudaStream stream) const {
  const Entered entered(*this, context);
  return event_record_(event, stream);
}

int Cuda::query(CudaContext context, CudaEvent event) const {
  const Entered entered(*this, context);
  return event_query_(event);
}

bool Cuda::is_device_pointer(const void* address) const {
  unsigned type = 0;
  return pointer_attribute_(&type, kAttributeMemoryType, as_pointer(address)) == 0 &&
         type == kMemoryTypeDevice;
}

}  // namespace emu
