// The CUDA driver API as one table of functions, filled by dlopen. Types are
// written from the driver API's documented ABI, so that no CUDA header is needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace hawser {

using CUresult = int;
using CUdevice = int;
using CUdeviceptr = unsigned long long;
using CUcontext = struct CUctx_st*;
using CUstream = struct CUstream_st*;
using CUevent = struct CUevent_st*;
using CUmodule = struct CUmod_st*;
using CUfunction = struct CUfunc_st*;

// One member per entry point, named as cuda.h names it; driver.cc knows the symbol behind it.
// Immutable once loaded, so any thread may use it. Tests may fill one by hand.
struct CudaDriver {
  CUresult (*cuInit)(unsigned flags) = nullptr;
  CUresult (*cuDriverGetVersion)(int* version) = nullptr;
  CUresult (*cuGetErrorName)(CUresult error, const char** name) = nullptr;
  CUresult (*cuGetErrorString)(CUresult error, const char** text) = nullptr;
  CUresult (*cuDeviceGetCount)(int* count) = nullptr;
  CUresult (*cuDeviceGet)(CUdevice* device, int ordinal) = nullptr;
  CUresult (*cuDeviceGetName)(char* name, int length, CUdevice device) = nullptr;
  CUresult (*cuDeviceGetPCIBusId)(char* id, int length, CUdevice device) = nullptr;
  CUresult (*cuDeviceTotalMem)(std::size_t* bytes, CUdevice device) = nullptr;
  CUresult (*cuDeviceGetAttribute)(int* value, int attribute, CUdevice device) = nullptr;
  CUresult (*cuDevicePrimaryCtxRetain)(CUcontext* context, CUdevice device) = nullptr;
  CUresult (*cuDevicePrimaryCtxRelease)(CUdevice device) = nullptr;
  CUresult (*cuCtxSetCurrent)(CUcontext context) = nullptr;
  CUresult (*cuMemAlloc)(CUdeviceptr* memory, std::size_t bytes) = nullptr;
  CUresult (*cuMemFree)(CUdeviceptr memory) = nullptr;
  CUresult (*cuMemGetAddressRange)(CUdeviceptr* base, std::size_t* bytes,
                                   CUdeviceptr address) = nullptr;
  // From CUDA 11.3 on; null before.
  CUresult (*cuFlushGPUDirectRDMAWrites)(int target, int scope) = nullptr;
  CUresult (*cuMemHostAlloc)(void** memory, std::size_t bytes, unsigned flags) = nullptr;
  CUresult (*cuMemFreeHost)(void* memory) = nullptr;
  CUresult (*cuMemcpy)(CUdeviceptr to, CUdeviceptr from, std::size_t bytes) = nullptr;
  CUresult (*cuMemcpyAsync)(CUdeviceptr to, CUdeviceptr from, std::size_t bytes,
                            CUstream stream) = nullptr;
  CUresult (*cuStreamCreate)(CUstream* stream, unsigned flags) = nullptr;
  CUresult (*cuStreamDestroy)(CUstream stream) = nullptr;
  CUresult (*cuStreamSynchronize)(CUstream stream) = nullptr;
  CUresult (*cuStreamIsCapturing)(CUstream stream, int* status) = nullptr;
  CUresult (*cuEventCreate)(CUevent* event, unsigned flags) = nullptr;
  CUresult (*cuEventDestroy)(CUevent event) = nullptr;
  CUresult (*cuEventRecord)(CUevent event, CUstream stream) = nullptr;
  CUresult (*cuEventQuery)(CUevent event) = nullptr;
  CUresult (*cuEventSynchronize)(CUevent event) = nullptr;
  CUresult (*cuModuleLoadData)(CUmodule* module, const void* image) = nullptr;
  CUresult (*cuModuleUnload)(CUmodule module) = nullptr;
  CUresult (*cuModuleGetFunction)(CUfunction* function, CUmodule module,
                                  const char* name) = nullptr;
  CUresult (*cuLaunchKernel)(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                             unsigned block_x, unsigned block_y, unsigned block_z,
                             unsigned shared_bytes, CUstream stream, void** arguments,
                             void** extra) = nullptr;
  CUresult (*cuPointerGetAttribute)(void* value, int attribute, CUdeviceptr address) = nullptr;

  std::string library;  // where it came from

  // Opens a driver library, looks up every function and calls cuInit. Code::unavailable,
  // with the cause and the remedy, where there is no driver or no device. The library
  // stays loaded for the life of the process. Without a name: HAWSER_CUDA_LIBRARY's.
  static Result<std::shared_ptr<const CudaDriver>> load();
  static Result<std::shared_ptr<const CudaDriver>> load(const std::string& library);
};

// The driver's numbers that we act on.
inline constexpr CUresult kCudaSuccess = 0;
inline constexpr CUresult kCudaDeinitialized = 4;
inline constexpr CUresult kCudaNotReady = 600;

// A pointer as the driver wants it. With unified addressing one number serves for both.
inline CUdeviceptr device_address(const void* memory) {
  return static_cast<CUdeviceptr>(reinterpret_cast<std::uintptr_t>(memory));
}

// Code::system: "<call>: CUDA_ERROR_X (text)"; ok for CUDA_SUCCESS.
Status check_cuda(const CudaDriver& driver, CUresult result, const char* call);

}  // namespace hawser
