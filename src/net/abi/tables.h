// ncclNet_vN: the tables of entry points that plugins export as data, as ncclNetPlugin_vN.
// Each struct knows its version and its properties; a static member takes no room in it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "net/abi/properties.h"
#include "net/abi/types.h"

namespace hawser::abi {

// Entry points that are the same in every version that has them.
using DevicesFunction = int(int* count);
using DeregMrFunction = int(void* comm, void* mhandle);
using RegMrDmaBufFunction = int(void* comm, void* data, std::size_t size, int type,
                                std::uint64_t offset, int fd, void** mhandle);
using IflushFunction = int(void* recvComm, int n, void** data, int* sizes, void** mhandles,
                           void** request);
using TestFunction = int(void* request, int* done, int* sizes);
using CloseFunction = int(void* comm);
using GetDeviceMrFunction = int(void* comm, void* mhandle, void** deviceMhandle);
using IrecvConsumedFunction = int(void* recvComm, int n, void* request);
using FinalizeFunction = int(void* ctx);
using SetNetAttrFunction = int(void* ctx, NetAttr* attr);

// Entry points that changed; each is named for the version that brought it.
using InitV5 = int(LogFunction log);
using InitV10 = int(LogFunction log, ProfilerFunction profiler);
using InitV11 = int(void** ctx, std::uint64_t commId, CommConfig* config, LogFunction log,
                    ProfilerFunction profiler);
using ListenV5 = int(int dev, void* handle, void** listenComm);
using ListenV11 = int(void* ctx, int dev, void* handle, void** listenComm);
using ConnectV5 = int(int dev, void* handle, void** sendComm);
using ConnectV7 = int(int dev, void* handle, void** sendComm, DeviceHandle** sendDevComm);
using ConnectV10 = int(int dev, CommConfig* config, void* handle, void** sendComm,
                       DeviceHandle** sendDevComm);
using ConnectV11 = int(void* ctx, int dev, void* handle, void** sendComm,
                       DeviceHandle** sendDevComm);
using AcceptV5 = int(void* listenComm, void** recvComm);
using AcceptV7 = int(void* listenComm, void** recvComm, DeviceHandle** recvDevComm);
using RegMrV5 = int(void* comm, void* data, int size, int type, void** mhandle);
using RegMrV8 = int(void* comm, void* data, std::size_t size, int type, void** mhandle);
using IsendV5 = int(void* sendComm, void* data, int size, int tag, void* mhandle, void** request);
using IsendV9 = int(void* sendComm, void* data, std::size_t size, int tag, void* mhandle,
                    void** request);
using IsendV10 = int(void* sendComm, void* data, std::size_t size, int tag, void* mhandle,
                     void* phandle, void** request);
using IrecvV5 = int(void* recvComm, int n, void** data, int* sizes, int* tags, void** mhandles,
                    void** request);
using IrecvV9 = int(void* recvComm, int n, void** data, std::size_t* sizes, int* tags,
                    void** mhandles, void** request);
using IrecvV10 = int(void* recvComm, int n, void** data, std::size_t* sizes, int* tags,
                     void** mhandles, void** phandles, void** request);

struct NetV5 {
  static constexpr int kVersion = 5;
  using Properties = PropertiesV6;

  const char* name;
  InitV5* init;
  DevicesFunction* devices;
  int (*getProperties)(int dev, Properties* props);
  ListenV5* listen;
  ConnectV5* connect;
  AcceptV5* accept;
  RegMrV5* regMr;
  DeregMrFunction* deregMr;
  IsendV5* isend;
  IrecvV5* irecv;
  IflushFunction* iflush;
  TestFunction* test;
  CloseFunction* closeSend;
  CloseFunction* closeRecv;
  CloseFunction* closeListen;
};
static_assert(sizeof(NetV5) == 16 * sizeof(void*));

struct NetV6 {
  static constexpr int kVersion = 6;
  using Properties = PropertiesV6;

  const char* name;
  InitV5* init;
  DevicesFunction* devices;
  int (*getProperties)(int dev, Properties* props);
  ListenV5* listen;
  ConnectV5* connect;
  AcceptV5* accept;
  RegMrV5* regMr;
  RegMrDmaBufFunction* regMrDmaBuf;
  DeregMrFunction* deregMr;
  IsendV5* isend;
  IrecvV5* irecv;
  IflushFunction* iflush;
  TestFunction* test;
  CloseFunction* closeSend;
  CloseFunction* closeRecv;
  CloseFunction* closeListen;
};
static_assert(sizeof(NetV6) == 17 * sizeof(void*));

// v7 and v8 differ in regMr's size, and in the properties.
template <int Version, class PropertiesOfVersion, class RegMr>
struct NetV7Shape {
  static constexpr int kVersion = Version;
  using Properties = PropertiesOfVersion;

  const char* name;
  InitV5* init;
  DevicesFunction* devices;
  int (*getProperties)(int dev, Properties* props);
  ListenV5* listen;
  ConnectV7* connect;
  AcceptV7* accept;
  RegMr* regMr;
  RegMrDmaBufFunction* regMrDmaBuf;
  DeregMrFunction* deregMr;
  IsendV5* isend;
  IrecvV5* irecv;
  IflushFunction* iflush;
  TestFunction* test;
  CloseFunction* closeSend;
  CloseFunction* closeRecv;
  CloseFunction* closeListen;
  GetDeviceMrFunction* getDeviceMr;
  IrecvConsumedFunction* irecvConsumed;
};
using NetV7 = NetV7Shape<7, PropertiesV7, RegMrV5>;
using NetV8 = NetV7Shape<8, PropertiesV8, RegMrV8>;
static_assert(sizeof(NetV7) == 19 * sizeof(void*) && sizeof(NetV8) == sizeof(NetV7));

// v9 and v10 differ in the arguments of init, connect, isend and irecv.
template <int Version, class Init, class Connect, class Isend, class Irecv>
struct NetV9Shape {
  static constexpr int kVersion = Version;
  using Properties = PropertiesV9;
  using VirtualDevice = VirtualDeviceV9;

  const char* name;
  Init* init;
  DevicesFunction* devices;
  int (*getProperties)(int dev, Properties* props);
  ListenV5* listen;
  Connect* connect;
  AcceptV7* accept;
  RegMrV8* regMr;
  RegMrDmaBufFunction* regMrDmaBuf;
  DeregMrFunction* deregMr;
  Isend* isend;
  Irecv* irecv;
  IflushFunction* iflush;
  TestFunction* test;
  CloseFunction* closeSend;
  CloseFunction* closeRecv;
  CloseFunction* closeListen;
  GetDeviceMrFunction* getDeviceMr;
  IrecvConsumedFunction* irecvConsumed;
  int (*makeVDevice)(int* dev, VirtualDevice* props);
};
using NetV9 = NetV9Shape<9, InitV5, ConnectV7, IsendV9, IrecvV9>;
using NetV10 = NetV9Shape<10, InitV10, ConnectV10, IsendV10, IrecvV10>;
static_assert(sizeof(NetV9) == 20 * sizeof(void*) && sizeof(NetV10) == sizeof(NetV9));

// v11 and v12 differ in the properties and the size of a virtual device.
template <int Version, class PropertiesOfVersion, class VirtualDeviceOfVersion>
struct NetV11Shape {
  static constexpr int kVersion = Version;
  using Properties = PropertiesOfVersion;
  using VirtualDevice = VirtualDeviceOfVersion;

  const char* name;
  InitV11* init;
  DevicesFunction* devices;
  int (*getProperties)(int dev, Properties* props);
  ListenV11* listen;
  ConnectV11* connect;
  AcceptV7* accept;
  RegMrV8* regMr;
  RegMrDmaBufFunction* regMrDmaBuf;
  DeregMrFunction* deregMr;
  IsendV10* isend;
  IrecvV10* irecv;
  IflushFunction* iflush;
  TestFunction* test;
  CloseFunction* closeSend;
  CloseFunction* closeRecv;
  CloseFunction* closeListen;
  GetDeviceMrFunction* getDeviceMr;
  IrecvConsumedFunction* irecvConsumed;
  int (*makeVDevice)(int* dev, VirtualDevice* props);
  FinalizeFunction* finalize;
  SetNetAttrFunction* setNetAttr;
};
using NetV11 = NetV11Shape<11, PropertiesV11, VirtualDeviceV9>;
using NetV12 = NetV11Shape<12, PropertiesV12, VirtualDeviceV12>;
static_assert(sizeof(NetV11) == 22 * sizeof(void*) && sizeof(NetV12) == sizeof(NetV11));

}  // namespace hawser::abi
