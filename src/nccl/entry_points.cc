#include "nccl/entry_points.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <type_traits>

#include "nccl/guard.h"

namespace hawser::plugin {
namespace {

// test() tells sizes as an int in every version, so no message is larger.
constexpr std::size_t kMaxMessageBytes = std::size_t{1} << 30;

Result<const Context*> checked(const void* context) {
  HAWSER_TRY(require(context != nullptr, "init has not been called, or failed"));
  return static_cast<const Context*>(context);
}

NcclLog::Key log_of(const void* context) {
  return context == nullptr ? 0 : static_cast<const Context*>(context)->log;
}

// Both comm classes are handed out as their base, so that one cast serves every call.
void* as_handle(std::unique_ptr<PluginComm> comm) {
  return comm.release();
}

PluginComm* as_comm(void* comm) {
  return static_cast<PluginComm*>(comm);
}

// No device code: NCCL's kernels work on the host's buffers.
void clear(abi::DeviceHandle** device_handle) {
  if (device_handle != nullptr) *device_handle = nullptr;
}

int no_comm(const char* call) noexcept {
  return guarded(call, 0, [] { return require(false, "the comm is NULL"); });
}

// A wrong call: it fails alone, and the comm is none the worse.
int misused(const char* call, const PluginComm& comm, const char* what) noexcept {
  return guarded(call, comm.log(), [&] { return require(false, what); });
}

}  // namespace

int init_communicator(void** context, abi::LogFunction logger) noexcept {
  Library& library = Library::instance();
  NcclLog::Key key = 0;
  const int result = guarded("init", 0, [&]() -> Status {
    HAWSER_TRY(require(context != nullptr, "no place for the context"));
    *context = nullptr;
    key = library.log().add(logger);
    const LogTo log_to(key);
    HAWSER_ASSIGN(*context, library.open(key));
    return {};
  });
  if (result != abi::kSuccess) library.log().remove(key);
  return result;
}

int init_once(abi::LogFunction logger) noexcept {
  Library& library = Library::instance();
  return guarded("init", 0, [&]() -> Status {
    const NcclLog::Key key = library.log().add(logger);
    const LogTo log_to(key);
    return library.open_for_good(key);
  });
}

int finalize(void* context) noexcept {
  return guarded("finalize", 0,
                 [&] { return Library::instance().close(static_cast<Context*>(context)); });
}

int devices(int* count) noexcept {
  return guarded("devices", 0, [&]() -> Status {
    HAWSER_TRY(require(count != nullptr, "no place for the count"));
    const auto core = Library::instance().core();
    HAWSER_TRY(require(core != nullptr, "init has not been called, or failed"));
    *count = static_cast<int>(core->device_count());
    return {};
  });
}

int properties(int device, DeviceProperties& to) noexcept {
  return guarded("getProperties", 0, [&]() -> Status {
    Library& library = Library::instance();
    const auto core = library.core();
    HAWSER_TRY(require(core != nullptr, "init has not been called, or failed"));
    HAWSER_ASSIGN(Core::Device found, core->device(device));
    to.device = std::move(found.net);
    to.members = std::move(found.members);
    to.name = library.keep(to.device.name);
    to.pci_path = to.device.pci_path.empty() ? nullptr : library.keep(to.device.pci_path);
    to.max_message_bytes = std::min(to.device.capabilities.max_request_bytes, kMaxMessageBytes);
    return {};
  });
}

int join_devices(int* device, const int* members, int count) noexcept {
  return guarded("makeVDevice", 0, [&]() -> Status {
    HAWSER_TRY(require(device != nullptr && members != nullptr && count >= 1,
                       "no place for the device, or no devices to join"));
    const auto core = Library::instance().core();
    HAWSER_TRY(require(core != nullptr, "init has not been called, or failed"));
    HAWSER_ASSIGN(*device, core->join({members, static_cast<std::size_t>(count)}));
    return {};
  });
}

const void* context_for_good() noexcept {
  return Library::instance().context_for_good();
}

int listen(const void* context, int device, void* handle, void** comm) noexcept {
  return guarded("listen", log_of(context), [&]() -> Status {
    HAWSER_TRY(require(handle != nullptr && comm != nullptr, "no place for handle and comm"));
    *comm = nullptr;
    HAWSER_ASSIGN(const Context* const known, checked(context));
    HAWSER_ASSIGN(auto made, known->core->listen(known->log, device));
    std::copy(made->handle().begin(), made->handle().end(), static_cast<std::byte*>(handle));
    *comm = made.release();
    return {};
  });
}

int connect(const void* context, int device, void* handle, void** comm,
            abi::DeviceHandle** device_handle) noexcept {
  return guarded("connect", log_of(context), [&]() -> Status {
    HAWSER_TRY(require(handle != nullptr && comm != nullptr, "no handle, or no place for a comm"));
    *comm = nullptr;
    clear(device_handle);
    HAWSER_ASSIGN(const Context* const known, checked(context));
    HAWSER_ASSIGN(auto made,
                  known->core->connect(known->log, device, static_cast<const std::byte*>(handle)));
    if (made != nullptr) *comm = as_handle(std::move(made));
    return {};
  });
}

int accept(void* listen_comm, void** comm, abi::DeviceHandle** device_handle) noexcept {
  auto* const listening = static_cast<PluginListenComm*>(listen_comm);
  if (listening == nullptr) return no_comm("accept");
  if (!usable(*listening, "accept")) return abi::kSystemError;
  return guarded("accept", listening->log(), [&]() -> Status {
    HAWSER_TRY(require(comm != nullptr, "no place for a comm"));
    *comm = nullptr;
    clear(device_handle);
    HAWSER_ASSIGN(auto made, listening->try_accept());
    if (made != nullptr) *comm = as_handle(std::move(made));
    return {};
  });
}

int close_comm(void* comm) noexcept {
  if (comm == nullptr) return no_comm("close");
  if (as_comm(comm)->inherited()) return abi::kSuccess;  // it stays as it is
  return guarded("close", as_comm(comm)->log(), [&]() -> Status {
    const LogTo log_to(as_comm(comm)->log());
    delete as_comm(comm);
    return {};
  });
}

int close_listen(void* comm) noexcept {
  if (comm == nullptr) return no_comm("closeListen");
  if (static_cast<PluginListenComm*>(comm)->inherited()) return abi::kSuccess;
  return guarded("closeListen", 0, [&]() -> Status {
    delete static_cast<PluginListenComm*>(comm);
    return {};
  });
}

int register_memory(void* comm, void* data, std::size_t bytes, int kind, void** mhandle) noexcept {
  if (comm == nullptr) return no_comm("regMr");
  if (!usable(*as_comm(comm), "regMr")) return abi::kSystemError;
  return guarded("regMr", as_comm(comm)->log(), [&]() -> Status {
    HAWSER_TRY(require(mhandle != nullptr, "no place for the memory handle"));
    *mhandle = nullptr;
    HAWSER_ASSIGN(*mhandle, as_comm(comm)->register_memory(data, bytes, kind));
    return {};
  });
}

int register_dma_buf(void* comm, void*, std::size_t, int, std::uint64_t, int,
                     void** mhandle) noexcept {
  if (mhandle != nullptr) *mhandle = nullptr;
  if (comm == nullptr) return no_comm("regMrDmaBuf");
  return misused("regMrDmaBuf", *as_comm(comm),
                 "this transport takes host memory only, and says so in its properties");
}

int deregister(void* comm, void* mhandle) noexcept {
  if (comm == nullptr) return no_comm("deregMr");
  if (as_comm(comm)->inherited()) return abi::kSuccess;
  return guarded("deregMr", as_comm(comm)->log(),
                 [&] { return as_comm(comm)->deregister(static_cast<Registration*>(mhandle)); });
}

int send(void* comm, void* data, std::size_t bytes, int tag, void* mhandle,
         void** request) noexcept {
  if (comm == nullptr || request == nullptr) return no_comm("isend");
  *request = nullptr;  // v9 on presets it with a hint
  return guarded_on(*as_comm(comm), "isend", [&]() -> Status {
    auto* const sender = as_comm(comm)->as_sender();
    HAWSER_TRY(require(sender != nullptr, "a receiving comm cannot send"));
    HAWSER_ASSIGN(*request, sender->send(data, bytes, tag, static_cast<Registration*>(mhandle)));
    return {};
  });
}

template <class Size>
int receive(void* comm, int n, void** data, const Size* sizes, const int* tags, void** mhandles,
            void** request) noexcept {
  if (comm == nullptr || request == nullptr) return no_comm("irecv");
  *request = nullptr;
  return guarded_on(*as_comm(comm), "irecv", [&]() -> Status {
    auto* const receiver = as_comm(comm)->as_receiver();
    HAWSER_TRY(require(receiver != nullptr, "a sending comm cannot receive"));
    HAWSER_TRY(require(n >= 1 && n <= kMaxReceives, "the number of buffers is out of range"));
    HAWSER_TRY(
        require(data != nullptr && sizes != nullptr && tags != nullptr && mhandles != nullptr,
                "no buffers, sizes, tags or memory handles"));
    std::array<ReceiveBuffer, kMaxReceives> buffers;
    for (int i = 0; i < n; ++i)
      buffers[static_cast<std::size_t>(i)] = {data[i], static_cast<std::size_t>(sizes[i]), tags[i],
                                              static_cast<Registration*>(mhandles[i])};
    HAWSER_ASSIGN(*request,
                  receiver->receive(std::span(buffers).first(static_cast<std::size_t>(n))));
    return {};
  });
}
template int receive(void*, int, void**, const int*, const int*, void**, void**) noexcept;
template int receive(void*, int, void**, const std::size_t*, const int*, void**, void**) noexcept;

// What a receive brought into host memory is visible once it is done.
int flush(void*, int, void**, int*, void**, void** request) noexcept {
  if (request != nullptr) *request = nullptr;
  return abi::kSuccess;
}

int test(void* request, int* done, int* sizes) noexcept {
  auto* const known = static_cast<PluginRequest*>(request);
  if (known == nullptr || known->comm == nullptr || done == nullptr)
    return guarded("test", 0, [] { return require(false, "no request, or one that has ended"); });
  *done = 0;
  return guarded_on(*known->comm, "test", [&]() -> Status {
    HAWSER_ASSIGN(*done, known->comm->test(known, sizes));
    return {};
  });
}

int device_memory_handle(void* comm, void*, void** device_mhandle) noexcept {
  if (device_mhandle != nullptr) *device_mhandle = nullptr;
  if (comm == nullptr) return no_comm("getDeviceMr");
  return misused("getDeviceMr", *as_comm(comm), "this transport runs nothing on a device");
}

// Nothing is held back between the end of a receive and this.
int consumed(void*, int, void*) noexcept {
  return abi::kSuccess;
}

// Hints of how many peers and flows there will be; connections here need none.
int set_net_attributes(void*, abi::NetAttr*) noexcept {
  return abi::kSuccess;
}

}  // namespace hawser::plugin
