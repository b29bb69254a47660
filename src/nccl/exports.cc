// The exported tables: the entry points in the shape of each version of the ABI. One template makes
// them all; each difference between versions is decided in one place.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <type_traits>

#include "nccl/entry_points.h"
#include "net/abi/tables.h"

namespace hawser::plugin {
namespace {

// NCCL finds the plugin by its file, and NCCL_NET names this.
constexpr const char* kName = "hawser";

template <class Properties>
void set_optional_properties(Properties& to, const DeviceProperties& from) {
  if constexpr (requires { to.netDeviceType; }) {
    to.netDeviceType = abi::kDeviceHost;
    to.netDeviceVersion = 0;
  }
  if constexpr (requires { to.regIsGlobal; })
    to.regIsGlobal = from.device.capabilities.registration_per_device ? 1 : 0;
  if constexpr (requires { to.forceFlush; }) to.forceFlush = 0;
  if constexpr (requires { to.vProps; }) {
    to.vProps = {};
    to.vProps.ndevs = static_cast<int>(from.members.size());  // fewer than it has room for
    std::copy(from.members.begin(), from.members.end(), to.vProps.devs);
    to.maxP2pBytes = from.max_message_bytes;
    to.maxCollBytes = from.max_message_bytes;
  }
  if constexpr (requires { to.maxMultiRequestSize; }) to.maxMultiRequestSize = 1;
  if constexpr (requires { to.railId; }) to.railId = to.planeId = -1;  // not known
}

template <class Properties>
int get_properties(int dev, Properties* to) noexcept {
  if (to == nullptr) return abi::kInvalidArgument;
  DeviceProperties from;
  if (const int result = properties(dev, from); result != abi::kSuccess) return result;
  to->name = from.name;
  to->pciPath = from.pci_path;
  to->guid = from.device.guid;
  to->ptrSupport = abi::kHostPointer;
  to->speed = from.device.speed_mbps;
  to->port = from.device.port;
  to->latency = from.device.latency_us;
  to->maxComms = from.device.max_comms;
  to->maxRecvs = kMaxReceives;
  set_optional_properties(*to, from);
  return abi::kSuccess;
}

template <class Table>
constexpr void set_init(Table& table) {
  if constexpr (Table::kVersion >= 11) {
    table.init = [](void** ctx, std::uint64_t, abi::CommConfig*, abi::LogFunction log,
                    abi::ProfilerFunction) { return init_communicator(ctx, log); };
    table.finalize = [](void* ctx) { return finalize(ctx); };
    table.setNetAttr = [](void* ctx, abi::NetAttr* attr) { return set_net_attributes(ctx, attr); };
  } else if constexpr (Table::kVersion == 10) {
    table.init = [](abi::LogFunction log, abi::ProfilerFunction) { return init_once(log); };
  } else {
    table.init = [](abi::LogFunction log) { return init_once(log); };
  }
}

template <class Table>
constexpr void set_listen_and_connect(Table& table) {
  if constexpr (Table::kVersion >= 11) {
    table.listen = [](void* ctx, int dev, void* handle, void** comm) {
      return listen(ctx, dev, handle, comm);
    };
    table.connect = [](void* ctx, int dev, void* handle, void** comm, abi::DeviceHandle** device) {
      return connect(ctx, dev, handle, comm, device);
    };
    return;
  } else {
    table.listen = [](int dev, void* handle, void** comm) {
      return listen(context_for_good(), dev, handle, comm);
    };
  }
  if constexpr (Table::kVersion == 10) {
    table.connect = [](int dev, abi::CommConfig*, void* handle, void** comm,
                       abi::DeviceHandle** device) {
      return connect(context_for_good(), dev, handle, comm, device);
    };
  } else if constexpr (Table::kVersion >= 7 && Table::kVersion < 10) {
    table.connect = [](int dev, void* handle, void** comm, abi::DeviceHandle** device) {
      return connect(context_for_good(), dev, handle, comm, device);
    };
  } else if constexpr (Table::kVersion < 7) {
    table.connect = [](int dev, void* handle, void** comm) {
      return connect(context_for_good(), dev, handle, comm, nullptr);
    };
  }
}

template <class Table>
constexpr void set_accept_and_close(Table& table) {
  if constexpr (Table::kVersion >= 7) {
    table.accept = [](void* listening, void** comm, abi::DeviceHandle** device) {
      return accept(listening, comm, device);
    };
  } else {
    table.accept = [](void* listening, void** comm) { return accept(listening, comm, nullptr); };
  }
  table.closeSend = [](void* comm) { return close_comm(comm); };
  table.closeRecv = [](void* comm) { return close_comm(comm); };
  table.closeListen = [](void* comm) { return close_listen(comm); };
}

template <class Table>
constexpr void set_registration(Table& table) {
  using Size = std::conditional_t<Table::kVersion >= 8, std::size_t, int>;
  table.regMr = [](void* comm, void* data, Size size, int type, void** mhandle) {
    return register_memory(comm, data, static_cast<std::size_t>(size), type, mhandle);
  };
  table.deregMr = [](void* comm, void* mhandle) { return deregister(comm, mhandle); };
  if constexpr (requires { table.regMrDmaBuf; })
    table.regMrDmaBuf = [](void* comm, void* data, std::size_t size, int type, std::uint64_t offset,
                           int fd, void** mhandle) {
      return register_dma_buf(comm, data, size, type, offset, fd, mhandle);
    };
}

// A negative int becomes larger than any registration, and is refused as such.
template <class Table>
constexpr void set_requests(Table& table) {
  using Size = std::conditional_t<Table::kVersion >= 9, std::size_t, int>;
  if constexpr (Table::kVersion >= 10) {
    table.isend = [](void* comm, void* data, Size size, int tag, void* mhandle, void*,
                     void** request) {
      return send(comm, data, static_cast<std::size_t>(size), tag, mhandle, request);
    };
    table.irecv = [](void* comm, int n, void** data, Size* sizes, int* tags, void** mhandles,
                     void**, void** request) {
      return receive(comm, n, data, static_cast<const Size*>(sizes), tags, mhandles, request);
    };
  } else {
    table.isend = [](void* comm, void* data, Size size, int tag, void* mhandle, void** request) {
      return send(comm, data, static_cast<std::size_t>(size), tag, mhandle, request);
    };
    table.irecv = [](void* comm, int n, void** data, Size* sizes, int* tags, void** mhandles,
                     void** request) {
      return receive(comm, n, data, static_cast<const Size*>(sizes), tags, mhandles, request);
    };
  }
  table.iflush = [](void* comm, int n, void** data, int* sizes, void** mhandles, void** request) {
    return flush(comm, n, data, sizes, mhandles, request);
  };
  table.test = [](void* request, int* done, int* sizes) { return test(request, done, sizes); };
}

template <class Table>
constexpr void set_device_calls(Table& table) {
  table.devices = [](int* count) { return devices(count); };
  table.getProperties = &get_properties<typename Table::Properties>;
  if constexpr (requires { table.getDeviceMr; }) {
    table.getDeviceMr = [](void* comm, void* mhandle, void** device_mhandle) {
      return device_memory_handle(comm, mhandle, device_mhandle);
    };
    table.irecvConsumed = [](void* comm, int n, void* request) {
      return consumed(comm, n, request);
    };
  }
  // Null in v9 and v10: NCCL 2.24 to 2.26, which use them, fail or loop where it refuses.
  if constexpr (requires { table.makeVDevice; }) table.makeVDevice = nullptr;
  if constexpr (Table::kVersion >= 11)
    table.makeVDevice = [](int* dev, typename Table::VirtualDevice* props) -> int {
      constexpr int kRoom = std::size(decltype(props->devs){});
      if (props == nullptr || props->ndevs > kRoom) return abi::kInvalidArgument;
      return join_devices(dev, props->devs, props->ndevs);
    };
}

template <class Table>
constexpr Table make_table() {
  Table table{};
  table.name = kName;
  set_init(table);
  set_device_calls(table);
  set_listen_and_connect(table);
  set_accept_and_close(table);
  set_registration(table);
  set_requests(table);
  return table;
}

}  // namespace
}  // namespace hawser::plugin

// Made at compile time, so that they are whole before any code of this library runs.
#define HAWSER_EXPORT_NET(version)                                      \
  extern "C" __attribute__((visibility("default")))                     \
  const hawser::abi::NetV##version ncclNetPlugin_v##version;            \
  constinit const hawser::abi::NetV##version ncclNetPlugin_v##version = \
      hawser::plugin::make_table<hawser::abi::NetV##version>()

HAWSER_EXPORT_NET(5);
HAWSER_EXPORT_NET(6);
HAWSER_EXPORT_NET(7);
HAWSER_EXPORT_NET(8);
HAWSER_EXPORT_NET(9);
HAWSER_EXPORT_NET(10);
HAWSER_EXPORT_NET(11);
HAWSER_EXPORT_NET(12);
