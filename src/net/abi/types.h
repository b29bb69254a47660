// Values and small structs that every version of the NCCL net-plugin ABI shares.
// Written from the ABI's published facts; docs/net-abi.md is the description. Members
// carry NCCL's names, so that this folder can be compared with its documentation.
// Pure headers: a plugin may include them as well as a host.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hawser::abi {

inline constexpr int kOldestVersion = 5;
inline constexpr int kNewestVersion = 12;

// ncclResult_t. An int here: a plugin may return a number no enum of ours knows.
enum ResultCode : int {
  kSuccess = 0,
  kUnhandledCudaError = 1,
  kSystemError = 2,
  kInternalError = 3,
  kInvalidArgument = 4,
  kInvalidUsage = 5,
  kRemoteError = 6,
};

enum PointerKind : int { kHostPointer = 1, kCudaPointer = 2, kDmaBufPointer = 4 };
enum NetDeviceType : int { kDeviceHost = 0, kDeviceUnpack = 1 };
enum LogLevelNumber : int { kLogNone = 0, kLogVersion, kLogWarn, kLogInfo, kLogAbort, kLogTrace };

inline constexpr std::size_t kConnectHandleBytes = 128;

using LogFunction = void (*)(int level, unsigned long flags, const char* file, int line,
                             const char* format, ...);
using ProfilerFunction = int (*)(void** event, int type, void* parent, std::int64_t plugin_id,
                                 void* data);

// ncclNetDeviceHandle: what accept and connect may hand to a GPU kernel.
struct DeviceHandle {
  int netDeviceType;
  int netDeviceVersion;
  void* handle;
  std::size_t size;
  int needsProxyProgress;
};
static_assert(sizeof(DeviceHandle) == 32);

// ncclNetCommConfig: an argument of connect in v10, of init since v11.
struct CommConfig {
  int trafficClass;
};
inline constexpr int kTrafficClassUndefined = -1;
static_assert(sizeof(CommConfig) == 4);

struct CommAttr {
  std::int32_t maxConcurrentPeers;
  std::int32_t minConcurrentPeers;
  std::int32_t maxFlowsPerPeer;
  std::int32_t minFlowsPerPeer;
};

// ncclNetAttr, since v11: a hint of what the connections will be used for.
struct NetAttr {
  CommAttr sendCommAttr;
  CommAttr recvCommAttr;
  std::uint32_t op;
  std::uint32_t algo;
  std::uint32_t proto;
};
static_assert(sizeof(NetAttr) == 44);

// ncclNetVDeviceProps: which devices a virtual device is made of.
struct VirtualDeviceV9 {
  int ndevs;
  int devs[4];
};
static_assert(sizeof(VirtualDeviceV9) == 20);

struct VirtualDeviceV12 {
  int ndevs;
  int devs[8];
};
static_assert(sizeof(VirtualDeviceV12) == 36);

}  // namespace hawser::abi
