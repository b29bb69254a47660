// The NCCL net plugin ABI, version 7, as the emulator sees it. Written on its own, apart from
// src/net/abi: the host and the emulator must agree through the facts, not through one header.
#pragma once

#include <cstddef>
#include <cstdint>

namespace emu {

// ncclResult_t
inline constexpr int kSuccess = 0;
inline constexpr int kCudaError = 1;
inline constexpr int kSystemError = 2;
inline constexpr int kInternalError = 3;
inline constexpr int kInvalidArgument = 4;
inline constexpr int kRemoteError = 6;

inline constexpr int kPointerHost = 1;
inline constexpr int kPointerCuda = 2;
inline constexpr std::size_t kHandleBytes = 128;

using Logger = void (*)(int level, unsigned long flags, const char* file, int line,
                        const char* format, ...);

struct Properties {
  const char* name;
  const char* pci_path;  // nullptr: a virtual interface
  std::uint64_t guid;
  int pointer_support;
  int speed_mbps;
  int port;
  float latency;
  int max_comms;
  int max_receives;
  int net_device_type;
  int net_device_version;
};
static_assert(sizeof(Properties) == 56);
static_assert(offsetof(Properties, pointer_support) == 24);
static_assert(offsetof(Properties, speed_mbps) == 28);
static_assert(offsetof(Properties, port) == 32);
static_assert(offsetof(Properties, latency) == 36);
static_assert(offsetof(Properties, max_comms) == 40);
static_assert(offsetof(Properties, max_receives) == 44);
static_assert(offsetof(Properties, net_device_type) == 48);
static_assert(offsetof(Properties, net_device_version) == 52);

inline constexpr int kNetDeviceUnpack = 1;
inline constexpr int kNetDeviceVersion = 7;

// What accept writes through *recvDevHandle.
struct DeviceHandle {
  int type;
  int version;
  void* handle;
  std::size_t bytes;
  int needs_proxy_progress;
};
static_assert(sizeof(DeviceHandle) == 32);
static_assert(offsetof(DeviceHandle, handle) == 8 && offsetof(DeviceHandle, bytes) == 16);

struct NetTable {
  const char* name;
  int (*init)(Logger logger);
  int (*devices)(int* count);
  int (*get_properties)(int device, Properties* properties);
  int (*listen)(int device, void* handle, void** listen_comm);
  int (*connect)(int device, void* handle, void** send_comm, DeviceHandle** device_handle);
  int (*accept)(void* listen_comm, void** receive_comm, DeviceHandle** device_handle);
  int (*reg_mr)(void* comm, void* data, int bytes, int type, void** registration);
  int (*reg_mr_dma_buf)(void* comm, void* data, std::size_t bytes, int type, std::uint64_t offset,
                        int fd, void** registration);
  int (*dereg_mr)(void* comm, void* registration);
  int (*isend)(void* comm, void* data, int bytes, int tag, void* registration, void** request);
  int (*irecv)(void* comm, int count, void** data, int* bytes, int* tags, void** registrations,
               void** request);
  int (*iflush)(void* comm, int count, void** data, int* bytes, void** registrations,
                void** request);
  int (*test)(void* request, int* done, int* bytes);
  int (*close_send)(void* comm);
  int (*close_receive)(void* comm);
  int (*close_listen)(void* comm);
  int (*get_device_mr)(void* comm, void* registration, void** device_registration);
  int (*irecv_consumed)(void* comm, int count, void* request);
};
static_assert(sizeof(NetTable) == 152 && sizeof(NetTable) / sizeof(void*) == 19);

}  // namespace emu
