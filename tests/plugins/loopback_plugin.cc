// A simulated NCCL net plugin for tests: real TCP sockets, on 127.0.0.1 only, host memory
// only. Compiled once per ABI version (HAWSER_PLUGIN_ABI). It demands of its host what real plugins
// rely on, and answers what NCCL allows: a host that breaks a rule gets an error, or a crash
// it deserves (it sends without MSG_NOSIGNAL).
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <type_traits>

#include "net/abi/tables.h"
#include "net/abi/unpack.h"

namespace {

using namespace hawser::abi;

constexpr int kDevices =
    2;  // sim0 registers per comm; sim1 per device, where the version can say so
constexpr int kWindow = 32;
constexpr int kPollsBeforeComm = 2;   // connect and accept give no comm so often, at first
constexpr unsigned kRefuseEvery = 5;  // every fifth isend and irecv is too early
constexpr std::size_t kMaxP2pBytes = std::size_t{64} << 20;
constexpr std::uint32_t kHandleMagic = 0x4c4f4f50;

std::atomic<LogFunction> g_log{nullptr};
std::atomic<int> g_inits{0};

int refuse(int result, const char* why) {
  if (const LogFunction log = g_log.load())
    log(kLogWarn, 1, __FILE__, __LINE__, "refused: %s", why);
  return result;
}

struct Context {
  static constexpr std::uint64_t kMagic = 0x636f6e74657874;
  std::uint64_t magic = kMagic;
};

// Where there is no finalize() to give it back, all share one.
Context* make_context() {
#ifdef HAWSER_PLUGIN_NO_OPTIONALS
  static Context shared;
  return &shared;
#else
  return new Context;
#endif
}

bool valid_context(const void* ctx) {
  return ctx != nullptr && static_cast<const Context*>(ctx)->magic == Context::kMagic;
}

struct Memory {
  char* start;
  std::size_t bytes;
  bool holds(const void* data, std::size_t length) const {
    const char* const at = static_cast<const char*>(data);
    return at >= start && length <= bytes && at + length <= start + bytes;
  }
};

// Registrations of everything alive; a handle that is not in here is one the host made up.
class Memories {
 public:
  Memory* add(void* data, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    return *all_.insert(new Memory{static_cast<char*>(data), bytes}).first;
  }
  bool drop(Memory* memory) {
    const std::lock_guard lock(mutex_);
    if (all_.erase(memory) == 0) return false;
    delete memory;
    return true;
  }
  bool holds(Memory* memory, const void* data, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    return all_.count(memory) > 0 && memory->holds(data, bytes);
  }

 private:
  std::mutex mutex_;
  std::set<Memory*> all_;
} g_memories;

struct Comm;

struct Request {
  Comm* comm = nullptr;
  char* data = nullptr;
  std::size_t bytes = 0;  // of a receive: the room, until the header has come
  std::size_t moved = 0;
  std::uint64_t header = 0;
  std::size_t header_moved = 0;
  bool in_use = false;
};

struct Comm {
  int fd = -1;
  bool sends = false;
  int device = 0;
  unsigned calls = 0;
  std::array<Request, kWindow> ring;
  std::uint64_t posted = 0;
  std::uint64_t finished = 0;
  std::atomic<int> registrations{0};

  ~Comm() { ::close(fd); }
};

struct ListenComm {
  int fd = -1;
  int device = 0;
  int polls = 0;
  bool accepted = false;

  ~ListenComm() { ::close(fd); }
};

// In the caller's handle buffer. Connecting keeps its state here, and knows the buffer again.
struct HandleState {
  std::uint32_t magic;
  std::uint16_t port;
  std::uint16_t connected;
  const void* self;  // of the side that connects; the listening side leaves it null
  int fd;
  int polls;
};
static_assert(sizeof(HandleState) <= kConnectHandleBytes);

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int do_init(LogFunction log) {
#ifdef HAWSER_PLUGIN_EXITS_IN_INIT
  ::_exit(77);  // as TCPX does on a machine it was not made for
#endif
  if (log == nullptr) return kInvalidArgument;
  g_log = log;
  log(kLogInfo, 1, __FILE__, __LINE__, "simulated plugin, loopback only, %s\n", "not for use");
  return kSuccess;
}

int init_once(LogFunction log) {
  if (g_inits.fetch_add(1) > 0) return refuse(kInternalError, "a second init");
  return do_init(log);
}

int init_context(void** ctx, CommConfig* config, LogFunction log, ProfilerFunction profiler) {
  if (ctx == nullptr || config == nullptr || profiler == nullptr) return kInvalidArgument;
  const int result = do_init(log);
  if (result == kSuccess) *ctx = make_context();
  return result;
}

int finalize(void* ctx) {
  if (!valid_context(ctx)) return refuse(kInvalidArgument, "finalize of no context");
  static_cast<Context*>(ctx)->magic = 0;
  delete static_cast<Context*>(ctx);
  return kSuccess;
}

int devices(int* count) {
  *count = kDevices;
  return kSuccess;
}

bool valid_device(int dev) {
  return dev >= 0 && dev < kDevices;
}

template <class Properties>
int get_properties(int dev, Properties* props) {
  if (!valid_device(dev)) return kInvalidArgument;
  static char names[kDevices][8] = {"sim0", "sim1"};
  std::memset(props, 0, sizeof *props);
  props->name = names[dev];
  props->pciPath = nullptr;  // a virtual device has none
  props->guid = static_cast<std::uint64_t>(dev) + 100;
  props->ptrSupport = kHostPointer;
  props->speed = 10000;
  props->port = 7;
  props->latency = 1.5f;
  props->maxComms = 1024;
  props->maxRecvs = 1;
#ifdef HAWSER_PLUGIN_TELLS_OF_UNPACKING
  props->netDeviceType = kDeviceUnpack;
  props->netDeviceVersion = kUnpackVersion;
#else
  if constexpr (requires { props->netDeviceType; }) props->netDeviceType = kDeviceHost;
#endif
  if constexpr (requires { props->regIsGlobal; }) props->regIsGlobal = dev == 1;
  if constexpr (requires { props->maxP2pBytes; }) {
    props->maxP2pBytes = kMaxP2pBytes;
    props->vProps.ndevs = 1;
    props->vProps.devs[0] = dev;
  }
  if constexpr (requires { props->railId; }) props->railId = props->planeId = -1;
  return kSuccess;
}

// What TCPX's workers do where data comes without device memory: no call of the host's has to do
// with it.
[[maybe_unused]] void exit_in_a_thread_of_its_own() {
  std::thread([] {
    pthread_setname_np(pthread_self(), "sim-worker");
    for (int task = 0; task < 1000; ++task)
      g_log.load()(kLogWarn, 1, __FILE__, __LINE__, "no free space for recv task %d", task);
    std::fputs("rx no cmsg\n", stderr);
    std::exit(3);
  }).detach();
}

int do_listen(int dev, void* handle, void** listen_comm) {
#ifdef HAWSER_PLUGIN_EXITS_ALONE
  static std::once_flag once;
  std::call_once(once, exit_in_a_thread_of_its_own);
#endif
  if (!valid_device(dev)) return refuse(kInvalidArgument, "no such device");
  auto comm = std::make_unique<ListenComm>();
  comm->device = dev;
  comm->fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(comm->fd, generic, length) != 0 || ::listen(comm->fd, 4) != 0 ||
      ::getsockname(comm->fd, generic, &length) != 0)
    return kSystemError;
  HandleState state{};
  state.magic = kHandleMagic;
  state.port = ntohs(address.sin_port);
  std::memcpy(handle, &state, sizeof state);
  *listen_comm = comm.release();
  return kSuccess;
}

void make_nonblocking(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

Comm* make_comm(int fd, bool sends, int device) {
  Comm* const comm = new Comm;
  comm->fd = fd;
  comm->sends = sends;
  comm->device = device;
  make_nonblocking(fd);
  return comm;
}

int start_connect(HandleState& state) {
  state.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(state.port);
  if (::connect(state.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return kSuccess;
  ::close(state.fd);
  return refuse(kRemoteError, "nobody listens there");
}

int do_connect(int dev, void* handle, void** send_comm) {
  *send_comm = nullptr;
  auto& state = *static_cast<HandleState*>(handle);
  if (!valid_device(dev) || state.magic != kHandleMagic) return kInvalidArgument;
  if (state.connected) return refuse(kInvalidUsage, "a handle used again after success");
  if (state.polls++ == 0) {
    state.self = handle;
    return start_connect(state);
  }
  if (state.self != handle) return refuse(kInvalidUsage, "another handle buffer on a retry");
  if (state.polls <= kPollsBeforeComm) return kSuccess;
  state.connected = 1;
  *send_comm = make_comm(state.fd, true, dev);
  return kSuccess;
}

int do_accept(void* listen_comm, void** recv_comm) {
  auto& listening = *static_cast<ListenComm*>(listen_comm);
  *recv_comm = nullptr;
  if (listening.accepted) return refuse(kInvalidUsage, "a second accept");
  if (++listening.polls <= kPollsBeforeComm) return kSuccess;
  const int fd = ::accept4(listening.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return errno == EAGAIN ? kSuccess : kSystemError;
  listening.accepted = true;
  *recv_comm = make_comm(fd, false, listening.device);
  return kSuccess;
}

// Hosts must hand out storage for a device handle, always.
int with_device_handle(int result, void* comm, DeviceHandle** device_handle) {
  if (device_handle == nullptr || *device_handle == nullptr)
    return refuse(kInvalidArgument, "no storage for a device handle");
  if (result == kSuccess && comm != nullptr) **device_handle = DeviceHandle{};
  return result;
}

int do_register(void* comm, void* data, std::size_t bytes, int type, void** mhandle) {
  if (type != kHostPointer || data == nullptr || bytes == 0)
    return refuse(kInvalidArgument, "host memory only, and some");
  *mhandle = g_memories.add(data, bytes);
  auto& owner = *static_cast<Comm*>(comm);
  if (owner.device == 0) ++owner.registrations;
  return kSuccess;
}

int deregister(void* comm, void* mhandle) {
  if (!g_memories.drop(static_cast<Memory*>(mhandle)))
    return refuse(kInvalidArgument, "no such registration");
  auto& owner = *static_cast<Comm*>(comm);
  if (owner.device == 0) --owner.registrations;
  return kSuccess;
}

int post(Comm& comm, bool sends, void* data, std::size_t bytes, void* mhandle, void** request) {
  *request = nullptr;  // it may hold anything
  if (comm.sends != sends) return refuse(kInvalidUsage, "the wrong direction");
  if (bytes > 0 && !g_memories.holds(static_cast<Memory*>(mhandle), data, bytes))
    return refuse(kInvalidArgument, "memory that is not registered");
  if (comm.posted - comm.finished == kWindow) return refuse(kInternalError, "a 33rd request");
  if (++comm.calls % kRefuseEvery == 0) return kSuccess;
  Request& made = comm.ring[comm.posted++ % kWindow];
  made = Request();
  made.comm = &comm;
  made.data = static_cast<char*>(data);
  made.bytes = bytes;
  made.header = bytes;
  made.in_use = true;
  *request = &made;
  return kSuccess;
}

// Moves what can be moved without waiting: kSuccess even if that is nothing.
int move_some(Comm& comm, char* data, std::size_t bytes, std::size_t& moved) {
  while (moved < bytes) {
    const ssize_t now = comm.sends ? ::send(comm.fd, data + moved, bytes - moved, 0)
                                   : ::recv(comm.fd, data + moved, bytes - moved, 0);
    if (now < 0 && (errno == EAGAIN || errno == EINTR)) return kSuccess;
    if (now <= 0) return refuse(kRemoteError, "the other side has gone");
    moved += static_cast<std::size_t>(now);
  }
  return kSuccess;
}

int progress(Request& request, bool& done) {
  Comm& comm = *request.comm;
  constexpr std::size_t header_bytes = sizeof request.header;
  int result =
      move_some(comm, reinterpret_cast<char*>(&request.header), header_bytes, request.header_moved);
  if (result != kSuccess || request.header_moved < header_bytes) return result;
  if (request.header > request.bytes)
    return refuse(kInternalError, "a send longer than the receive");
  request.bytes = request.header;
  result = move_some(comm, request.data, request.bytes, request.moved);
  done = result == kSuccess && request.moved == request.bytes;
  return result;
}

int test(void* handle, int* done, int* sizes) {
  auto& request = *static_cast<Request*>(handle);
  *done = 0;
  if (!request.in_use) return refuse(kInvalidUsage, "test of a request that has ended");
  Comm& comm = *request.comm;
  if (&request != &comm.ring[comm.finished % kWindow])
    return refuse(kInternalError, "test of a request that is not the oldest");
  bool finished = false;
  const int result = progress(request, finished);
  if (result != kSuccess || !finished) return result;
  request.in_use = false;
  ++comm.finished;
  *done = 1;
  if (sizes != nullptr) sizes[0] = static_cast<int>(request.bytes);
  return kSuccess;
}

int close_comm(void* comm) {
  const bool left = static_cast<Comm*>(comm)->registrations > 0;
  delete static_cast<Comm*>(comm);
  return left ? refuse(kInvalidUsage, "closed with registrations left") : kSuccess;
}

int close_listen(void* comm) {
  const bool early =
      static_cast<ListenComm*>(comm)->polls > 0 && !static_cast<ListenComm*>(comm)->accepted;
  delete static_cast<ListenComm*>(comm);
  return early ? refuse(kInvalidUsage, "closeListen in the middle of accept") : kSuccess;
}

// Optional entry points that no host may call here: host memory needs none of them.
int never_flush(void*, int, void**, int*, void**, void**) {
  return refuse(kInvalidUsage, "iflush");
}
int never_dma_buf(void*, void*, std::size_t, int, std::uint64_t, int, void**) {
  return refuse(kInvalidUsage, "regMrDmaBuf");
}
int never_device_mr(void*, void*, void**) {
  return refuse(kInvalidUsage, "getDeviceMr");
}
int never_consumed(void*, int, void*) {
  return refuse(kInvalidUsage, "irecvConsumed");
}
int never_net_attr(void*, NetAttr*) {
  return refuse(kInvalidUsage, "setNetAttr");
}

// The entry points that differ, in the shape of each version.
template <class Table>
void set_init(Table& table) {
  if constexpr (Table::kVersion >= 11) {
    table.init = [](void** ctx, std::uint64_t, CommConfig* config, LogFunction log,
                    ProfilerFunction profiler) { return init_context(ctx, config, log, profiler); };
  } else if constexpr (Table::kVersion == 10) {
    table.init = [](LogFunction log, ProfilerFunction profiler) {
      return profiler == nullptr ? int{kInvalidArgument} : init_once(log);
    };
  } else {
    table.init = &init_once;
  }
}

template <class Table>
void set_connection(Table& table) {
  constexpr int version = Table::kVersion;
  if constexpr (version >= 11) {
    table.listen = [](void* ctx, int dev, void* handle, void** comm) {
      return valid_context(ctx) ? do_listen(dev, handle, comm) : int{kInvalidArgument};
    };
    table.connect = [](void* ctx, int dev, void* handle, void** comm, DeviceHandle** device) {
      if (!valid_context(ctx)) return refuse(kInvalidArgument, "connect with another context");
      return with_device_handle(do_connect(dev, handle, comm), *comm, device);
    };
  } else {
    table.listen = &do_listen;
  }
  if constexpr (version == 10) {
    table.connect = [](int dev, CommConfig* config, void* handle, void** comm,
                       DeviceHandle** device) {
      if (config == nullptr || config->trafficClass != kTrafficClassUndefined)
        return refuse(kInvalidArgument, "connect with no config");
      return with_device_handle(do_connect(dev, handle, comm), *comm, device);
    };
  } else if constexpr (version >= 7 && version < 10) {
    table.connect = [](int dev, void* handle, void** comm, DeviceHandle** device) {
      return with_device_handle(do_connect(dev, handle, comm), *comm, device);
    };
  } else if constexpr (version < 7) {
    table.connect = &do_connect;
  }
  if constexpr (version >= 7) {
    table.accept = [](void* listening, void** comm, DeviceHandle** device) {
      return with_device_handle(do_accept(listening, comm), *comm, device);
    };
  } else {
    table.accept = &do_accept;
  }
}

template <class Table>
void set_data_path(Table& table) {
  constexpr int version = Table::kVersion;
  using RegisterSize = std::conditional_t<version >= 8, std::size_t, int>;
  using Size = std::conditional_t<version >= 9, std::size_t, int>;
  table.regMr = [](void* comm, void* data, RegisterSize size, int type, void** mhandle) {
    return do_register(comm, data, static_cast<std::size_t>(size), type, mhandle);
  };
  const auto send = [](void* comm, void* data, Size size, void* mhandle, void** request) {
    return post(*static_cast<Comm*>(comm), true, data, static_cast<std::size_t>(size), mhandle,
                request);
  };
  const auto receive = [](void* comm, int n, void** data, Size* sizes, void** mhandles,
                          void** request) {
    if (n != 1) return refuse(kInvalidArgument, "one receive at a time");
    return post(*static_cast<Comm*>(comm), false, data[0], static_cast<std::size_t>(sizes[0]),
                mhandles[0], request);
  };
  using Send = decltype(send);
  using Receive = decltype(receive);
  if constexpr (version >= 10) {
    table.isend = [](void* comm, void* data, Size size, int, void* mhandle, void* phandle,
                     void** request) {
      if (phandle != nullptr)
        return refuse(kInvalidArgument, "a profiler's handle, with no profiler");
      return std::decay_t<Send>{}(comm, data, size, mhandle, request);
    };
    table.irecv = [](void* comm, int n, void** data, Size* sizes, int*, void** mhandles,
                     void** phandles, void** request) {
      if (phandles == nullptr) return refuse(kInvalidArgument, "no array of profiler's handles");
      return std::decay_t<Receive>{}(comm, n, data, sizes, mhandles, request);
    };
  } else {
    table.isend = [](void* comm, void* data, Size size, int, void* mhandle, void** request) {
      return std::decay_t<Send>{}(comm, data, size, mhandle, request);
    };
    table.irecv = [](void* comm, int n, void** data, Size* sizes, int*, void** mhandles,
                     void** request) {
      return std::decay_t<Receive>{}(comm, n, data, sizes, mhandles, request);
    };
  }
}

template <class Table>
void set_optionals(Table& table) {
#ifndef HAWSER_PLUGIN_NO_OPTIONALS
  table.iflush = &never_flush;
  if constexpr (Table::kVersion >= 6) table.regMrDmaBuf = &never_dma_buf;
  if constexpr (Table::kVersion >= 7) {
    table.getDeviceMr = &never_device_mr;
    table.irecvConsumed = &never_consumed;
  }
  if constexpr (Table::kVersion >= 9) {
    table.makeVDevice = [](int*, typename Table::VirtualDevice*) {
      return refuse(kInvalidUsage, "makeVDevice");
    };
  }
  if constexpr (Table::kVersion >= 11) {
    table.finalize = &finalize;
    table.setNetAttr = &never_net_attr;
  }
#else
  static_cast<void>(table);
  static_cast<void>(&never_flush);
  static_cast<void>(&never_dma_buf);
  static_cast<void>(&never_device_mr);
  static_cast<void>(&never_consumed);
  static_cast<void>(&never_net_attr);
  static_cast<void>(&finalize);
#endif
}

template <class Table>
Table make_table(const char* name) {
  Table table{};
  table.name = name;
  set_init(table);
  table.devices = &devices;
  table.getProperties = &get_properties<typename Table::Properties>;
  set_connection(table);
  set_data_path(table);
  table.deregMr = &deregister;
  table.test = &test;
  table.closeSend = &close_comm;
  table.closeRecv = &close_comm;
  table.closeListen = &close_listen;
  set_optionals(table);
  return table;
}

}  // namespace

#define HAWSER_JOIN_(a, b) a##b
#define HAWSER_JOIN(a, b) HAWSER_JOIN_(a, b)
#define HAWSER_TEXT_(a) #a
#define HAWSER_TEXT(a) HAWSER_TEXT_(a)
#define HAWSER_EXPORT(version)                                                 \
  extern "C" __attribute__((visibility("default"))) HAWSER_JOIN(NetV, version) \
      HAWSER_JOIN(ncclNetPlugin_v, version);                                   \
  HAWSER_JOIN(NetV, version)                                                   \
  HAWSER_JOIN(ncclNetPlugin_v, version) =                                      \
      make_table<HAWSER_JOIN(NetV, version)>(HAWSER_PLUGIN_NAME(version))

#if defined(HAWSER_PLUGIN_NAMED_TCPX)
#define HAWSER_PLUGIN_NAME(version) "GPUDirectTCPX_v" HAWSER_TEXT(version)
#elif defined(HAWSER_PLUGIN_EXITS_ALONE)
#define HAWSER_PLUGIN_NAME(version) "GPUDirectTCPX_emulated_exit_v" HAWSER_TEXT(version)
#else
#define HAWSER_PLUGIN_NAME(version) "Simulated loopback v" HAWSER_TEXT(version)
#endif

#if defined(HAWSER_PLUGIN_ONLY_V4)
// Nobody reads it: a host must tell from the name that it is too old.
extern "C" __attribute__((visibility("default"))) void* ncclNetPlugin_v4[16];
void* ncclNetPlugin_v4[16] = {};
#elif !defined(HAWSER_PLUGIN_NO_SYMBOL)
HAWSER_EXPORT(HAWSER_PLUGIN_ABI);
#ifdef HAWSER_PLUGIN_ALSO_ABI
HAWSER_EXPORT(HAWSER_PLUGIN_ALSO_ABI);
#endif
#endif
