// A Gpu over a fake driver, for code that asks where memory lies: "device memory" is an ordinary
// buffer that the driver claims as its own.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "gpu/gpu.h"

namespace hawser::test {

struct FakeDeviceMemory {
  static inline const std::byte* start = nullptr;
  static inline std::size_t bytes = 0;
  static inline int gpu = 0;     // whose it is
  static inline int copies = 0;  // made by the driver
};

inline std::shared_ptr<CudaDriver> make_fake_driver() {
  auto driver = std::make_shared<CudaDriver>();
  driver->cuGetErrorName = [](CUresult, const char** name) { return *name = "FAKE_ERROR", 0; };
  driver->cuGetErrorString = [](CUresult, const char** text) { return *text = "fake", 0; };
  driver->cuDeviceGetCount = [](int* count) { return *count = 1, 0; };
  driver->cuDeviceGet = [](CUdevice* device, int) { return *device = 0, 0; };
  driver->cuDeviceGetName = [](char* name, int length, CUdevice) {
    return std::snprintf(name, static_cast<std::size_t>(length), "fake GPU"), 0;
  };
  driver->cuDeviceTotalMem = [](std::size_t* bytes, CUdevice) { return *bytes = 1 << 20, 0; };
  driver->cuDeviceGetPCIBusId = [](char* id, int length, CUdevice) {
    return std::snprintf(id, static_cast<std::size_t>(length), "0000:01:00.0"), 0;
  };
  driver->cuDeviceGetAttribute = [](int* value, int, CUdevice) { return *value = 0, 0; };
  driver->cuDevicePrimaryCtxRetain = [](CUcontext* context, CUdevice) {
    return *context = nullptr, 0;
  };
  driver->cuDevicePrimaryCtxRelease = [](CUdevice) { return 0; };
  driver->cuCtxSetCurrent = [](CUcontext) { return 0; };
  // Beside the buffer there is what the driver is asked to allocate; it is host memory, too.
  driver->cuMemAlloc = [](CUdeviceptr* memory, std::size_t bytes) {
    return *memory = device_address(std::malloc(bytes)), 0;
  };
  driver->cuMemFree = [](CUdeviceptr memory) {
    return std::free(reinterpret_cast<void*>(memory)), 0;
  };
  driver->cuMemGetAddressRange = [](CUdeviceptr* start, std::size_t* bytes, CUdeviceptr memory) {
    const CUdeviceptr buffer = device_address(FakeDeviceMemory::start);
    const bool in_buffer = memory >= buffer && memory < buffer + FakeDeviceMemory::bytes;
    *start = in_buffer ? buffer : memory;
    return *bytes = in_buffer ? FakeDeviceMemory::bytes : std::size_t{1} << 30, 0;
  };
  driver->cuMemcpy = [](CUdeviceptr to, CUdeviceptr from, std::size_t bytes) {
    ++FakeDeviceMemory::copies;
    return std::memcpy(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes), 0;
  };
  driver->cuStreamSynchronize = [](CUstream) { return 0; };
  driver->cuPointerGetAttribute = [](void* value, int attribute, CUdeviceptr address) {
    const auto* const at = reinterpret_cast<const std::byte*>(address);
    const bool ours =
        at >= FakeDeviceMemory::start && at < FakeDeviceMemory::start + FakeDeviceMemory::bytes;
    if (!ours) return 1;  // an address the driver does not know
    constexpr int kDeviceOrdinal =
        9;  // CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL; else its type is asked
    *static_cast<int*>(value) = attribute == kDeviceOrdinal ? FakeDeviceMemory::gpu : 2;
    return 0;
  };
  return driver;
}

inline std::shared_ptr<Gpu> make_fake_gpu() {
  return Gpu::open(make_fake_driver(), 0).value();
}

}  // namespace hawser::test
