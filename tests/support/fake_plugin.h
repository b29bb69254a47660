// A fake NCCL net plugin: tables of every version whose entry points write down what they were
// called with, and answer what a test has told them to.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "net/abi/tables.h"
#include "net/abi/unpack.h"
#include "net/hosted/hosted_net.h"

namespace hawser::test {

// What the table's functions work on. One at a time, the newest: they have no context of their own.
struct FakePlugin {
  FakePlugin() { current = this; }
  ~FakePlugin() { current = nullptr; }
  FakePlugin(const FakePlugin&) = delete;
  FakePlugin& operator=(const FakePlugin&) = delete;
  static inline FakePlugin* current = nullptr;

  // A call: its name, and what it was given.
  struct Call {
    std::string entry;
    void* comm = nullptr;  // or the context, or the request
    void* data = nullptr;
    std::size_t bytes = 0;
    int number = 0;          // the tag, the kind, the device or n
    void* handle = nullptr;  // of memory, of a connection, or a request
  };
  std::vector<Call> calls;
  std::map<std::string, int> results;  // what entry points return; kSuccess where not told
  int too_early = 0;                   // so many connects, accepts, sends and receives give nothing
  int polls_till_done = 0;
  int received = -1;  // written to test's sizes; -1: not written
  bool flush_is_at_once = false;
  int devices = 1;

  // Properties, of which each version takes what it has.
  int pointer_support = abi::kHostPointer | abi::kCudaPointer;
  int device_type = abi::kDeviceHost;
  int device_version = abi::kUnpackVersion;
  int registration_is_global = 0;
  std::size_t max_p2p_bytes = 0;
  const char* pci_path = nullptr;
  // What accept puts into the device handle's storage.
  abi::DeviceHandle device_handle{};
  std::vector<abi::DeviceHandle*> storage;  // that was handed in
  std::vector<std::string> handles;         // bytes of the connect handles, before each call

  int comms = 0;  // comms and requests are numbers from here on, as pointers
  void* context = &comms;

  int note(Call call) {
    calls.push_back(call);
    const auto told = results.find(call.entry);
    return told == results.end() ? int{abi::kSuccess} : told->second;
  }
  void* next() {
    return reinterpret_cast<void*>(static_cast<std::uintptr_t>(0x1000 + 16 * ++comms));
  }
  // Something, unless it is too early or an error.
  int give(int result, void** place) {
    *place = result == abi::kSuccess && too_early-- <= 0 ? next() : nullptr;
    return result;
  }

  std::vector<Call> of(const std::string& entry) const {
    std::vector<Call> found;
    for (const Call& call : calls)
      if (call.entry == entry) found.push_back(call);
    return found;
  }
  std::size_t count(const std::string& entry) const { return of(entry).size(); }
  const Call& last() const { return calls.back(); }
};

namespace fake {

inline FakePlugin& now() {
  return *FakePlugin::current;
}

template <class Properties>
int get_properties(int dev, Properties* to) {
  const int result = now().note({"getProperties", nullptr, nullptr, 0, dev});
  std::memset(to, 0, sizeof *to);
  static char name[] = "fake0";
  to->name = name;
  to->pciPath = const_cast<char*>(now().pci_path);
  to->guid = 42;
  to->ptrSupport = now().pointer_support;
  to->speed = 100000;
  to->port = 1;
  to->latency = 2.5f;
  to->maxComms = 77;
  to->maxRecvs = 1;
  if constexpr (requires { to->netDeviceType; }) to->netDeviceType = now().device_type;
  if constexpr (requires { to->netDeviceVersion; }) to->netDeviceVersion = now().device_version;
  if constexpr (requires { to->regIsGlobal; }) to->regIsGlobal = now().registration_is_global;
  if constexpr (requires { to->maxP2pBytes; }) to->maxP2pBytes = now().max_p2p_bytes;
  return result;
}

inline int init_context(void** ctx, abi::CommConfig* config, abi::LogFunction log,
                        abi::ProfilerFunction profiler) {
  if (ctx != nullptr) *ctx = now().context;
  const int traffic_class = config == nullptr ? 0 : config->trafficClass;
  return now().note({"init", ctx == nullptr ? nullptr : *ctx, reinterpret_cast<void*>(log), 0,
                     traffic_class, reinterpret_cast<void*>(profiler)});
}

inline int listen(void* ctx, int dev, void* handle, void** comm) {
  std::memset(handle, 0x5a, abi::kConnectHandleBytes);
  const int result = now().note({"listen", ctx, nullptr, 0, dev, handle});
  *comm = now().next();
  return result;
}

// Changes the handle, as plugins do that keep their state in it.
inline int connect(void* ctx, int dev, void* handle, void** comm, abi::DeviceHandle** device) {
  now().handles.emplace_back(static_cast<const char*>(handle), abi::kConnectHandleBytes);
  ++static_cast<unsigned char*>(handle)[7];
  now().storage.push_back(device == nullptr ? nullptr : *device);
  return now().give(now().note({"connect", ctx, nullptr, 0, dev, handle}), comm);
}

inline int accept(void* listening, void** comm, abi::DeviceHandle** device) {
  now().storage.push_back(device == nullptr ? nullptr : *device);
  if (device != nullptr && *device != nullptr) **device = now().device_handle;
  return now().give(now().note({"accept", listening}), comm);
}

inline int register_memory(void* comm, void* data, std::size_t bytes, int kind, void** handle) {
  *handle = now().next();
  return now().note({"regMr", comm, data, bytes, kind, *handle});
}

inline int send(void* comm, void* data, std::size_t bytes, int tag, void* handle, void** request) {
  return now().give(now().note({"isend", comm, data, bytes, tag, handle}), request);
}

inline int receive(void* comm, int n, void* data, std::size_t bytes, int tag, void* handle,
                   void** request) {
  const int result =
      now().note({n == 1 ? "irecv" : "irecv of several", comm, data, bytes, tag, handle});
  return now().give(result, request);
}

inline int flush(void* comm, int n, void** data, int* sizes, void** handles, void** request) {
  const int result =
      now().note({"iflush", comm, data[0], static_cast<std::size_t>(sizes[0]), n, handles[0]});
  *request = now().flush_is_at_once ? nullptr : now().next();
  return result;
}

inline int test(void* request, int* done, int* sizes) {
  const int result = now().note({"test", request});
  *done = now().polls_till_done-- <= 0;
  if (*done && sizes != nullptr && now().received >= 0) sizes[0] = now().received;
  return result;
}

template <class Table>
void set_rare_entries(Table& table) {
  constexpr int version = Table::kVersion;
  if constexpr (version >= 11) {
    table.init = [](void** ctx, std::uint64_t, abi::CommConfig* config, abi::LogFunction log,
                    abi::ProfilerFunction profiler) {
      return init_context(ctx, config, log, profiler);
    };
    table.finalize = [](void* ctx) { return now().note({"finalize", ctx}); };
    table.listen = &listen;
    table.connect = &connect;
  } else {
    table.listen = [](int dev, void* handle, void** comm) {
      return listen(nullptr, dev, handle, comm);
    };
  }
  if constexpr (version == 10) {
    table.init = [](abi::LogFunction log, abi::ProfilerFunction profiler) {
      return init_context(nullptr, nullptr, log, profiler);
    };
    table.connect = [](int dev, abi::CommConfig* config, void* handle, void** comm,
                       abi::DeviceHandle** device) {
      return config != nullptr && config->trafficClass == abi::kTrafficClassUndefined
                 ? connect(nullptr, dev, handle, comm, device)
                 : int{abi::kInvalidArgument};
    };
  } else if constexpr (version < 10) {
    table.init = [](abi::LogFunction log) { return init_context(nullptr, nullptr, log, nullptr); };
    if constexpr (version >= 7)
      table.connect = [](int dev, void* handle, void** comm, abi::DeviceHandle** device) {
        return connect(nullptr, dev, handle, comm, device);
      };
    else
      table.connect = [](int dev, void* handle, void** comm) {
        return connect(nullptr, dev, handle, comm, nullptr);
      };
  }
  if constexpr (version >= 7)
    table.accept = &accept;
  else
    table.accept = [](void* listening, void** comm) { return accept(listening, comm, nullptr); };
}

template <class Table>
void set_data_entries(Table& table) {
  constexpr int version = Table::kVersion;
  using RegisterSize = std::conditional_t<version >= 8, std::size_t, int>;
  using Size = std::conditional_t<version >= 9, std::size_t, int>;
  table.regMr = [](void* comm, void* data, RegisterSize size, int kind, void** handle) {
    return register_memory(comm, data, static_cast<std::size_t>(size), kind, handle);
  };
  if constexpr (version >= 10) {
    table.isend = [](void* comm, void* data, Size size, int tag, void* handle, void*,
                     void** request) {
      return send(comm, data, static_cast<std::size_t>(size), tag, handle, request);
    };
    table.irecv = [](void* comm, int n, void** data, Size* sizes, int* tags, void** handles, void**,
                     void** request) {
      return receive(comm, n, data[0], static_cast<std::size_t>(sizes[0]), tags[0], handles[0],
                     request);
    };
  } else {
    table.isend = [](void* comm, void* data, Size size, int tag, void* handle, void** request) {
      return send(comm, data, static_cast<std::size_t>(size), tag, handle, request);
    };
    table.irecv = [](void* comm, int n, void** data, Size* sizes, int* tags, void** handles,
                     void** request) {
      return receive(comm, n, data[0], static_cast<std::size_t>(sizes[0]), tags[0], handles[0],
                     request);
    };
  }
  if constexpr (requires { table.irecvConsumed; })
    table.irecvConsumed = [](void* comm, int n, void* request) {
      return now().note({"irecvConsumed", comm, nullptr, 0, n, request});
    };
}

template <class Table>
Table make_table(const char* name) {
  Table table{};
  table.name = name;
  table.devices = [](int* count) {
    *count = now().devices;
    return now().note({"devices"});
  };
  table.getProperties = &get_properties<typename Table::Properties>;
  set_rare_entries(table);
  set_data_entries(table);
  table.deregMr = [](void* comm, void* handle) {
    return now().note({"deregMr", comm, nullptr, 0, 0, handle});
  };
  table.iflush = &flush;
  table.test = &test;
  table.closeSend = [](void* comm) { return now().note({"closeSend", comm}); };
  table.closeRecv = [](void* comm) { return now().note({"closeRecv", comm}); };
  table.closeListen = [](void* comm) { return now().note({"closeListen", comm}); };
  return table;
}

}  // namespace fake

// Hosts a table that outlives the Net.
template <class Table>
Result<std::unique_ptr<Net>> host_fake(const Table& table, PluginOptions options = {}) {
  HAWSER_ASSIGN(auto api, make_plugin_api(Table::kVersion, &table));
  return host_plugin(std::move(api), "a test", options);
}

}  // namespace hawser::test
