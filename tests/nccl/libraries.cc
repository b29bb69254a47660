#include "libraries.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace nccl_pair {
namespace {

constexpr unsigned kNonBlockingStream = 1;  // CU_STREAM_NON_BLOCKING

void* open_library(const std::string& file) {
  void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) fail(std::string("cannot load ") + file + ": " + dlerror());
  return library;
}

// Sets `function` to the symbol of that name, whatever its type.
template <class Function>
void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) fail(std::string("there is no ") + name + " in the library");
}

}  // namespace

void fail(const std::string& what) {
  std::fprintf(stderr, "nccl_pair: %s\n", what.c_str());
  std::fflush(nullptr);
  std::_Exit(1);
}

Nccl::Nccl(const std::string& file) : path(file) {
  void* const library = open_library(file);
  find(library, "ncclGetVersion", get_version);
  find(library, "ncclGetUniqueId", get_unique_id);
  find(library, "ncclCommInitRank", comm_init_rank);
  find(library, "ncclCommDestroy", comm_destroy);
  find(library, "ncclGroupStart", group_start);
  find(library, "ncclGroupEnd", group_end);
  find(library, "ncclSend", send);
  find(library, "ncclRecv", receive);
  find(library, "ncclAllReduce", all_reduce);
  find(library, "ncclGetLastError", last_error);
}

void Nccl::check(int result, const char* doing) const {
  if (result == 0) return;
  fail(std::string(doing) + " returned " + std::to_string(result) + ": " + last_error(nullptr));
}

Cuda::Cuda() {
  void* const library = open_library("libcuda.so.1");
  int (*init)(unsigned) = nullptr;
  int (*retain)(void** context, int device) = nullptr;
  int (*name)(char* text, int bytes, int device) = nullptr;
  find(library, "cuInit", init);
  find(library, "cuDevicePrimaryCtxRetain", retain);
  find(library, "cuDeviceGetName", name);
  find(library, "cuGetErrorName", error_name_);
  find(library, "cuCtxSetCurrent", set_current_);
  find(library, "cuMemAlloc_v2", allocate_);
  find(library, "cuMemFree_v2", free_);
  find(library, "cuMemcpyHtoD_v2", upload_);
  find(library, "cuMemcpyDtoH_v2", download_);
  find(library, "cuMemsetD8_v2", fill_);
  find(library, "cuStreamCreate", make_stream_);
  find(library, "cuStreamSynchronize", wait_);
  check(init(0), "cuInit");
  check(retain(&context_, 0), "cuDevicePrimaryCtxRetain");
  char text[128] = {};
  check(name(text, sizeof text - 1, 0), "cuDeviceGetName");
  device_name_ = text;
}

void Cuda::check(int result, const char* doing) const {
  if (result == 0) return;
  const char* text = "unknown";
  error_name_(result, &text);
  fail(std::string(doing) + " failed: " + text);
}

void Cuda::make_current() const {
  check(set_current_(context_), "cuCtxSetCurrent");
}
DevicePointer Cuda::allocate(std::size_t bytes) const {
  DevicePointer memory = 0;
  check(allocate_(&memory, bytes), "cuMemAlloc");
  return memory;
}
void Cuda::free(DevicePointer memory) const {
  check(free_(memory), "cuMemFree");
}
void Cuda::upload(DevicePointer to, const void* from, std::size_t bytes) const {
  check(upload_(to, from, bytes), "cuMemcpyHtoD");
}
void Cuda::download(void* to, DevicePointer from, std::size_t bytes) const {
  check(download_(to, from, bytes), "cuMemcpyDtoH");
}
void Cuda::clear(DevicePointer memory, std::size_t bytes) const {
  check(fill_(memory, 0, bytes), "cuMemsetD8");
}
CudaStream Cuda::make_stream() const {
  CudaStream stream = nullptr;
  check(make_stream_(&stream, kNonBlockingStream), "cuStreamCreate");
  return stream;
}
void Cuda::wait(CudaStream stream) const {
  check(wait_(stream), "cuStreamSynchronize");
}

}  // namespace nccl_pair
