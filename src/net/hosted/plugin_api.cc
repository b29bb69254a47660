#include "net/hosted/plugin_api.h"

#include <fmt/core.h>

#include <limits>
#include <type_traits>

#include "net/abi/tables.h"

namespace hawser {
namespace {

constexpr std::size_t kMaxInt = std::numeric_limits<int>::max();
constexpr std::size_t kMaxSize = std::numeric_limits<std::size_t>::max();

// Which version brought which difference. Each is asked for once, in the adapter below.
constexpr bool has_device_handles(int version) {
  return version >= 7;
}
constexpr bool has_wide_registrations(int version) {
  return version >= 8;
}
constexpr bool has_wide_requests(int version) {
  return version >= 9;
}
constexpr bool has_profiler(int version) {
  return version >= 10;
}
constexpr bool has_context(int version) {
  return version >= 11;
}

std::string text_or_empty(const char* text) {
  return text == nullptr ? "" : text;
}

// NULL is not promised to be allowed, and nothing is profiled.
int ignore_profile_event(void**, int, void*, std::int64_t, void*) {
  return abi::kSuccess;
}

template <class Properties>
PluginProperties to_plugin_properties(const Properties& from) {
  PluginProperties to;
  to.name = text_or_empty(from.name);
  to.pci_path = text_or_empty(from.pciPath);
  to.guid = from.guid;
  to.pointer_support = from.ptrSupport;
  to.speed_mbps = from.speed;
  to.port = from.port;
  to.latency_us = from.latency;
  to.max_comms = from.maxComms;
  to.max_receives = from.maxRecvs;
  if constexpr (requires { from.netDeviceType; }) {
    to.device_type = from.netDeviceType;
    to.device_version = from.netDeviceVersion;
  }
  if constexpr (requires { from.regIsGlobal; }) to.registration_is_global = from.regIsGlobal != 0;
  if constexpr (requires { from.maxP2pBytes; }) to.max_p2p_bytes = from.maxP2pBytes;
  return to;
}

// The adapter of every version: what differs is decided by the version of the table.
template <class Table>
class TableApi : public PluginApi {
 public:
  static constexpr int kVersion = Table::kVersion;
  using RegisterSize = std::conditional_t<has_wide_registrations(kVersion), std::size_t, int>;
  using RequestSize = std::conditional_t<has_wide_requests(kVersion), std::size_t, int>;

  explicit TableApi(const Table& table) : table_(table) {
    traits_.version = kVersion;
    traits_.max_registration_bytes = has_wide_registrations(kVersion) ? kMaxSize : kMaxInt;
    traits_.max_request_bytes = has_wide_requests(kVersion) ? kMaxSize : kMaxInt;
    traits_.init_per_net = has_context(kVersion);
    traits_.has_iflush = table.iflush != nullptr;
    if constexpr (requires { table.irecvConsumed; })
      traits_.has_irecv_consumed = table.irecvConsumed != nullptr;
  }

  const char* name() const override { return table_.name; }
  const PluginTraits& traits() const override { return traits_; }
  const void* table() const override { return &table_; }

  int init(void** context, std::uint64_t comm_id, abi::LogFunction log) override {
    if constexpr (has_context(kVersion)) {
      abi::CommConfig config{abi::kTrafficClassUndefined};
      return table_.init(context, comm_id, &config, log, &ignore_profile_event);
    } else if constexpr (has_profiler(kVersion)) {
      return table_.init(log, &ignore_profile_event);
    } else {
      return table_.init(log);
    }
  }

  int finalize(void* context) override {
    if constexpr (has_context(kVersion)) {
      if (table_.finalize != nullptr) return table_.finalize(context);
    }
    return abi::kSuccess;
  }

  int devices(int* count) override { return table_.devices(count); }

  int properties(int device, PluginProperties* to) override {
    typename Table::Properties from{};
    const int result = table_.getProperties(device, &from);
    if (result == abi::kSuccess) *to = to_plugin_properties(from);
    return result;
  }

  int listen(void* context, int device, void* handle, void** listen_comm) override {
    if constexpr (has_context(kVersion))
      return table_.listen(context, device, handle, listen_comm);
    else
      return table_.listen(device, handle, listen_comm);
  }

  int connect(void* context, int device, void* handle, void** send_comm,
              abi::DeviceHandle** device_handle) override {
    if constexpr (has_context(kVersion)) {
      return table_.connect(context, device, handle, send_comm, device_handle);
    } else if constexpr (has_profiler(kVersion)) {
      return table_.connect(device, &config_, handle, send_comm, device_handle);
    } else if constexpr (has_device_handles(kVersion)) {
      return table_.connect(device, handle, send_comm, device_handle);
    } else {
      return table_.connect(device, handle, send_comm);
    }
  }

  int accept(void* listen_comm, void** receive_comm, abi::DeviceHandle** device_handle) override {
    if constexpr (has_device_handles(kVersion))
      return table_.accept(listen_comm, receive_comm, device_handle);
    else
      return table_.accept(listen_comm, receive_comm);
  }

  int close_send(void* comm) override { return table_.closeSend(comm); }
  int close_receive(void* comm) override { return table_.closeRecv(comm); }
  int close_listen(void* comm) override { return table_.closeListen(comm); }

  int register_memory(void* comm, void* data, std::size_t bytes, int kind,
                      void** memory_handle) override {
    return table_.regMr(comm, data, static_cast<RegisterSize>(bytes), kind, memory_handle);
  }
  int deregister(void* comm, void* memory_handle) override {
    return table_.deregMr(comm, memory_handle);
  }

  int send(void* comm, void* data, std::size_t bytes, int tag, void* memory_handle,
           void** request) override {
    const auto size = static_cast<RequestSize>(bytes);
    if constexpr (has_profiler(kVersion))
      return table_.isend(comm, data, size, tag, memory_handle, nullptr, request);
    else
      return table_.isend(comm, data, size, tag, memory_handle, request);
  }

  int receive(void* comm, void* data, std::size_t bytes, int tag, void* memory_handle,
              void** request) override {
    auto size = static_cast<RequestSize>(bytes);
    if constexpr (has_profiler(kVersion)) {
      void* profile = nullptr;
      return table_.irecv(comm, 1, &data, &size, &tag, &memory_handle, &profile, request);
    } else {
      return table_.irecv(comm, 1, &data, &size, &tag, &memory_handle, request);
    }
  }

  int flush(void* comm, void* data, int bytes, void* memory_handle, void** request) override {
    return table_.iflush(comm, 1, &data, &bytes, &memory_handle, request);
  }
  int test(void* request, int* done, int* sizes) override {
    return table_.test(request, done, sizes);
  }
  int consumed(void* comm, void* request) override {
    if constexpr (requires { table_.irecvConsumed; })
      return table_.irecvConsumed(comm, 1, request);
    else
      return abi::kSuccess;
  }

 private:
  const Table& table_;
  PluginTraits traits_;
  abi::CommConfig config_{abi::kTrafficClassUndefined};  // connect's, in v10
};

// The first required entry point that is null, or null.
template <class Table>
const char* missing_entry(const Table& table) {
  const struct {
    const char* name;
    bool missing;
  } required[] = {
      {"name", table.name == nullptr},
      {"init", table.init == nullptr},
      {"devices", table.devices == nullptr},
      {"getProperties", table.getProperties == nullptr},
      {"listen", table.listen == nullptr},
      {"connect", table.connect == nullptr},
      {"accept", table.accept == nullptr},
      {"regMr", table.regMr == nullptr},
      {"deregMr", table.deregMr == nullptr},
      {"isend", table.isend == nullptr},
      {"irecv", table.irecv == nullptr},
      {"test", table.test == nullptr},
      {"closeSend", table.closeSend == nullptr},
      {"closeRecv", table.closeRecv == nullptr},
      {"closeListen", table.closeListen == nullptr},
  };
  for (const auto& entry : required)
    if (entry.missing) return entry.name;
  return nullptr;
}

template <class Table>
Result<std::unique_ptr<PluginApi>> make_table_api(const void* address) {
  const Table& table = *static_cast<const Table*>(address);
  if (const char* missing = missing_entry(table)) {
    return Error(Code::plugin, fmt::format("ncclNetPlugin_v{} has no {}: not a usable plugin",
                                           Table::kVersion, missing));
  }
  return std::unique_ptr<PluginApi>(std::make_unique<TableApi<Table>>(table));
}

}  // namespace

Result<std::unique_ptr<PluginApi>> make_plugin_api(int version, const void* table) {
  switch (version) {
    case 5:
      return make_table_api<abi::NetV5>(table);
    case 6:
      return make_table_api<abi::NetV6>(table);
    case 7:
      return make_table_api<abi::NetV7>(table);
    case 8:
      return make_table_api<abi::NetV8>(table);
    case 9:
      return make_table_api<abi::NetV9>(table);
    case 10:
      return make_table_api<abi::NetV10>(table);
    case 11:
      return make_table_api<abi::NetV11>(table);
    case 12:
      return make_table_api<abi::NetV12>(table);
    default:
      return Error(Code::invalid_argument,
                   fmt::format("net-plugin ABI v{} is not hosted: v5 to v12 are", version));
  }
}

}  // namespace hawser
