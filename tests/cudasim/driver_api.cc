// Exports: initialisation, errors, devices, contexts, and the simulation's own calls.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>

#include "cudasim.h"
#include "state.h"

using namespace cudasim;

namespace {

constexpr char kDeviceName[] = "Simulated GPU (host memory, no CUDA)";
constexpr int kDriverVersion = 11000;

struct ErrorText {
  CUresult code;
  const char* name;
  const char* text;
};
constexpr ErrorText kErrors[] = {
    {kSuccess, "CUDA_SUCCESS", "no error"},
    {kInvalidValue, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {kOutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {kNotInitialized, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {34, "CUDA_ERROR_STUB_LIBRARY", "CUDA driver is a stub library"},
    {kNoDevice, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {kInvalidDevice, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {kInvalidContext, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {kInvalidPtx, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
    {221, "CUDA_ERROR_JIT_COMPILER_NOT_FOUND", "PTX JIT compiler library not found"},
    {304, "CUDA_ERROR_OPERATING_SYSTEM", "OS call failed or operation not supported on this OS"},
    {kInvalidHandle, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {kNotFound, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {kNotReady, "CUDA_ERROR_NOT_READY", "device not ready"},
    {kIllegalAddress, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {kContextIsDestroyed, "CUDA_ERROR_CONTEXT_IS_DESTROYED", "context is destroyed"},
    {802, "CUDA_ERROR_SYSTEM_NOT_READY", "system not yet initialized"},
    {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
     "system has unsupported display driver / cuda driver combination"},
    {999, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

const ErrorText* find_error(CUresult code) {
  const auto* found = std::find_if(std::begin(kErrors), std::end(kErrors),
                                   [&](const ErrorText& error) { return error.code == code; });
  return found == std::end(kErrors) ? nullptr : found;
}

CUresult check_device(CUdevice device) {
  if (!State::get().initialised()) return kNotInitialized;
  return device >= 0 && device < State::get().device_count() ? kSuccess : kInvalidDevice;
}

CUresult copy_text(const std::string& text, char* to, int length) {
  if (to == nullptr || length <= 0) return kInvalidValue;
  std::snprintf(to, static_cast<std::size_t>(length), "%s", text.c_str());
  return kSuccess;
}

CUresult check_settable(Context* context) {
  if (!State::get().initialised()) return kNotInitialized;
  return context == nullptr || State::get().known(context) ? kSuccess : kInvalidContext;
}

}  // namespace

CUDASIM_EXPORT void hawser_cudasim_counts(HawserCudasimCounts* counts) {
  State& state = State::get();
  counts->device_allocations = state.memory().count(kMemoryDevice);
  counts->device_bytes = state.memory().device_bytes();
  counts->pinned_allocations = state.memory().count(kMemoryHost);
  counts->contexts = state.context_count();
  counts->streams = state.stream_count();
  counts->events = state.event_count();
  counts->copies = state.copy_count();
  counts->modules = state.modules().count();
  counts->launches = state.modules().launches();
}

CUDASIM_EXPORT void hawser_cudasim_set_init_result(int result) {
  State::get().set_init_result(result);
}

CUDASIM_EXPORT void hawser_cudasim_set_copy_delay_us(unsigned delay_us) {
  State::get().pace().set_delay_us(delay_us);
}

CUDASIM_EXPORT void hawser_cudasim_hold(int hold) {
  State::get().pace().hold(hold != 0);
}

CUDASIM_EXPORT CUresult cuInit(unsigned flags) {
  return flags == 0 ? State::get().initialise() : static_cast<CUresult>(kInvalidValue);
}

CUDASIM_EXPORT CUresult cuDriverGetVersion(int* version) {
  if (version == nullptr) return kInvalidValue;
  *version = kDriverVersion;
  return kSuccess;
}

CUDASIM_EXPORT CUresult cuGetErrorName(CUresult code, const char** name) {
  const ErrorText* const error = find_error(code);
  *name = error == nullptr ? nullptr : error->name;
  return error == nullptr ? kInvalidValue : kSuccess;
}

CUDASIM_EXPORT CUresult cuGetErrorString(CUresult code, const char** text) {
  const ErrorText* const error = find_error(code);
  *text = error == nullptr ? nullptr : error->text;
  return error == nullptr ? kInvalidValue : kSuccess;
}

CUDASIM_EXPORT CUresult cuDeviceGetCount(int* count) {
  if (!State::get().initialised()) return kNotInitialized;
  *count = State::get().device_count();
  return kSuccess;
}

CUDASIM_EXPORT CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  if (const CUresult problem = check_device(ordinal)) return problem;
  *device = ordinal;
  return kSuccess;
}

CUDASIM_EXPORT CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
  if (const CUresult problem = check_device(device)) return problem;
  return copy_text(kDeviceName, name, length);
}

// A PCI domain that no machine has, in upper case as the real driver writes it.
CUDASIM_EXPORT CUresult cuDeviceGetPCIBusId(char* id, int length, CUdevice device) {
  if (const CUresult problem = check_device(device)) return problem;
  return copy_text("FFFF:0" + std::to_string(device) + ":00.0", id, length);
}

CUDASIM_EXPORT CUresult cuDeviceTotalMem_v2(std::size_t* bytes, CUdevice device) {
  if (const CUresult problem = check_device(device)) return problem;
  *bytes = kDeviceBytes;
  return kSuccess;
}

CUDASIM_EXPORT CUresult cuDeviceGetAttribute(int* value, int attribute, CUdevice device) {
  if (const CUresult problem = check_device(device)) return problem;
  switch (attribute) {
    case kUnifiedAddressing:
    case kDmaBufSupported:
      *value = 1;
      return kSuccess;
    case kComputeCapabilityMajor:
    case kComputeCapabilityMinor:
      *value = 0;
      return kSuccess;
  }
  return kInvalidValue;
}

CUDASIM_EXPORT CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  if (const CUresult problem = check_device(device)) return problem;
  return State::get().retain(device, context);
}

CUDASIM_EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  if (const CUresult problem = check_device(device)) return problem;
  return State::get().release(device);
}

CUDASIM_EXPORT CUresult cuCtxSetCurrent(CUcontext context) {
  if (const CUresult problem = check_settable(context)) return problem;
  auto& stack = context_stack();
  if (!stack.empty()) stack.pop_back();
  if (context != nullptr) stack.push_back(context);
  return kSuccess;
}

CUDASIM_EXPORT CUresult cuCtxGetCurrent(CUcontext* context) {
  if (!State::get().initialised()) return kNotInitialized;
  *context = current_context();
  return kSuccess;
}

CUDASIM_EXPORT CUresult cuCtxPushCurrent_v2(CUcontext context) {
  if (const CUresult problem = check_settable(context)) return problem;
  if (context == nullptr) return kInvalidContext;
  context_stack().push_back(context);
  return kSuccess;
}

CUDASIM_EXPORT CUresult cuCtxPopCurrent_v2(CUcontext* context) {
  auto& stack = context_stack();
  if (stack.empty()) return kInvalidContext;
  if (context != nullptr) *context = stack.back();
  stack.pop_back();
  return kSuccess;
}

CUDASIM_EXPORT CUresult cuCtxGetDevice(CUdevice* device) {
  if (const CUresult problem = require_context()) return problem;
  *device = current_context()->device;
  return kSuccess;
}

CUDASIM_EXPORT CUresult cuCtxSynchronize() {
  if (const CUresult problem = require_context()) return problem;
  State::get().wait_for_all();
  return kSuccess;
}
