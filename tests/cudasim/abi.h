// CUDA driver API types and numbers, as far as the simulation has them.
#pragma once

#include <cstddef>

namespace cudasim {

struct Context;
class Queue;
class Event;
struct Module;
struct Function;

enum Error {
  kSuccess = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kNotInitialized = 3,
  kNoDevice = 100,
  kInvalidDevice = 101,
  kInvalidContext = 201,
  kInvalidPtx = 218,
  kInvalidHandle = 400,
  kNotFound = 500,
  kNotReady = 600,
  kIllegalAddress = 700,
  kContextIsDestroyed = 709,
};

enum DeviceAttribute {
  kUnifiedAddressing = 41,
  kComputeCapabilityMajor = 75,
  kComputeCapabilityMinor = 76,
  kDmaBufSupported = 124,
};

enum PointerAttribute {
  kPointerMemoryType = 2,
  kPointerDevicePointer = 3,
  kPointerHostPointer = 4,
  kPointerIsManaged = 8,
  kPointerDeviceOrdinal = 9,
  kPointerRangeStart = 11,
  kPointerRangeSize = 12,
};

enum MemoryType : unsigned { kMemoryNone = 0, kMemoryHost = 1, kMemoryDevice = 2 };

inline constexpr int kRangeHandleDmaBuf = 1;

}  // namespace cudasim

using CUresult = int;
using CUdevice = int;
using CUdeviceptr = unsigned long long;
using CUcontext = cudasim::Context*;
using CUstream = cudasim::Queue*;
using CUevent = cudasim::Event*;
using CUmodule = cudasim::Module*;
using CUfunction = cudasim::Function*;

#define CUDASIM_EXPORT extern "C" __attribute__((visibility("default")))
