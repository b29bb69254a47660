// listen, connect, accept and the closes.
#include <pthread.h>
#include <sys/random.h>

#include <cstdlib>
#include <cstring>
#include <optional>

#include "plugin.h"

namespace emu {
namespace {

std::uint64_t random_nonce() {
  std::uint64_t nonce = 0;
  while (getrandom(&nonce, sizeof nonce, 0) != sizeof nonce) {
  }
  return nonce;
}

// A thread named "hw-ch<N>" says which channel it works for (see README.md).
std::optional<int> channel_of_thread() {
  constexpr char kPrefix[] = "hw-ch";
  char name[16] = {};
  if (pthread_getname_np(pthread_self(), name, sizeof name) != 0) return std::nullopt;
  if (std::strncmp(name, kPrefix, sizeof kPrefix - 1) != 0) return std::nullopt;
  const char* const digits = name + sizeof kPrefix - 1;
  char* end = nullptr;
  const long channel = std::strtol(digits, &end, 10);
  if (end == digits || *end != '\0' || channel < 0 || channel > 65535) return std::nullopt;
  return static_cast<int>(channel);
}

HandleBytes read_handle(const void* handle) {
  HandleBytes bytes;
  std::memcpy(&bytes, handle, sizeof bytes);
  return bytes;
}

std::uint64_t as_number(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address);
}

}  // namespace

// The real one takes GPU 0 where a thread has no context, whichever was meant. So that is a mistake
// here, but for hosts that use no GPU at all.
int Plugin::place_of_thread(const char* call, Place& place) {
  if (settings_.bounce == BouncePlace::host || cuda_ == nullptr) return kSuccess;
  place = {cuda_.get(), cuda_->current(), cuda_->current_gpu()};
  if (place.on_gpu()) gpus_seen_.store(true, std::memory_order_relaxed);
  if (place.on_gpu()) return kSuccess;
  if (settings_.bounce == BouncePlace::automatic && !gpus_seen_.load(std::memory_order_relaxed))
    return kSuccess;
  return report_.rule_broken(
      "%s in a thread without a current CUDA context; the real plugin takes GPU 0", call);
}

// Pool and flow rule are of the GPU that is current: all calls for a comm must agree on it.
int Plugin::check_place(const char* call, const CommInfo& info, const Place& place) {
  if (place.context == info.place.context) return kSuccess;
  return report_.rule_broken(
      "channel %d: %s under the CUDA context of GPU %d, and it was begun under that of GPU %d",
      info.channel, call, place.gpu, info.place.gpu);
}

bool Plugin::steered(const CommInfo& info) const {
  const Device& device = devices_[static_cast<std::size_t>(info.device)];
  return info.place.on_gpu() && gpu_nics_.fits(*cuda_, info.place.gpu, device);
}

int Plugin::listen(int device, void* handle, void** listen_comm) {
  if (const int problem = enter(HAWSER_EMU_LISTEN)) return problem;
  if (device < 0 || static_cast<std::size_t>(device) >= devices_.size())
    return report_.rule_broken("listen on device %d of %zu", device, devices_.size());
  if (handle == nullptr) return report_.rule_broken("listen without a handle");
  Place place;
  if (const int problem = place_of_thread("listen", place)) return problem;
  const std::optional<int> hint = channel_of_thread();
  CommInfo info{device, hint ? *hint : listens_.fetch_add(1), Side::server, 0, place};
  const Outcome outcome = fault(HAWSER_EMU_LISTEN, info);
  if (outcome.verdict == Outcome::fail) return outcome.code;
  info.creation = windows_.open(device, Side::server);
  const int result = listen_here(info, handle, listen_comm);
  if (result != kSuccess) windows_.close(info.creation);
  return result;
}

int Plugin::listen_here(const CommInfo& info, void* handle, void** listen_comm) {
  const SetupCalls::Inside inside(*setups_, info.place, "listen");
  Socket socket = Socket::listen_on(devices_[static_cast<std::size_t>(info.device)].address);
  if (!socket.usable()) {
    report_.warn("channel %d: listen: %s", info.channel, std::strerror(errno));
    return kInternalError;
  }
  HandleBytes bytes{};
  bytes.magic = kHandleMagic;
  bytes.nonce = random_nonce();
  bytes.channel = info.channel;
  std::memset(bytes.filler, 0xEE, sizeof bytes.filler);
  set_address(bytes, socket.local());
  std::memcpy(handle, &bytes, sizeof bytes);
  const std::uint64_t number = listeners_.reserve();
  listeners_.put(number,
                 std::make_shared<ListenComm>(services(), info, std::move(socket), bytes.nonce));
  *listen_comm = opaque(Tag::listen_comm, number);
  return kSuccess;
}

int Plugin::begin_connecting(int device, const Place& place, void* handle,
                             std::shared_ptr<Connecting>& connecting) {
  HandleBytes bytes = read_handle(handle);
  const std::optional<Address> to = address_of(bytes);
  if (!to || bytes.channel < 0) {
    report_.warn("connect: the handle is not one of this plugin's");
    return kInvalidArgument;
  }
  const CommInfo info{device, bytes.channel, Side::client, windows_.open(device, Side::client),
                      place};
  const Device& from = devices_[static_cast<std::size_t>(device)];
  connecting =
      std::make_shared<Connecting>(services(), info, handle, from.address, *to, bytes.nonce);
  if (!connecting_.put(bytes.nonce, connecting)) {
    windows_.close(info.creation);
    return report_.rule_broken("connect from two threads with copies of one handle");
  }
  bytes.connecting = 1;
  bytes.buffer = as_number(handle);
  std::memcpy(handle, &bytes, sizeof bytes);
  return kSuccess;
}

// connect's state lies in the handle: a retry must come with that very buffer.
int Plugin::find_connecting(int device, const Place& place, void* handle,
                            std::shared_ptr<Connecting>& connecting) {
  const HandleBytes bytes = read_handle(handle);
  connecting = connecting_.find(bytes.nonce);
  if (connecting == nullptr && bytes.connecting == 0)
    return begin_connecting(device, place, handle, connecting);
  if (connecting == nullptr)
    return report_.rule_broken("connect with a handle whose state another process wrote");
  const int channel = connecting->info().channel;
  if (connecting->finished && connecting->failed_with == kSuccess)
    return report_.rule_broken("channel %d: connect again after it succeeded", channel);
  if (bytes.connecting == 0)
    return report_.rule_broken("channel %d: connect retried with a fresh copy of the handle",
                               channel);
  if (connecting->buffer() != handle || bytes.buffer != as_number(handle))
    return report_.rule_broken("channel %d: connect retried with another handle buffer", channel);
  return check_place("connect", connecting->info(), place);
}

int Plugin::connect(int device, void* handle, void** send_comm) {
  if (const int problem = enter(HAWSER_EMU_CONNECT)) return problem;
  if (device < 0 || static_cast<std::size_t>(device) >= devices_.size())
    return report_.rule_broken("connect on device %d of %zu", device, devices_.size());
  if (handle == nullptr || send_comm == nullptr)
    return report_.rule_broken("connect without a handle or a place for the comm");
  *send_comm = nullptr;
  Place place;
  if (const int problem = place_of_thread("connect", place)) return problem;
  std::shared_ptr<Connecting> connecting;
  if (const int problem = find_connecting(device, place, handle, connecting)) return problem;
  const Use use(connecting->in_use);
  if (!use) return shared(connecting->info(), "connect");
  const Outcome outcome = fault(HAWSER_EMU_CONNECT, connecting->info(), &connecting->first_connect);
  if (outcome.verdict == Outcome::fail) return outcome.code;
  if (outcome.verdict == Outcome::not_yet) return kSuccess;
  return connect_step(*connecting, send_comm);
}

int Plugin::connect_step(Connecting& connecting, void** send_comm) {
  if (connecting.finished) return connecting.failed_with;
  const SetupCalls::Inside inside(*setups_, connecting.info().place, "connect");
  connecting.failed_with = connecting.poll();
  connecting.finished = connecting.failed_with != kSuccess || connecting.connected();
  if (!connecting.connected()) return connecting.failed_with;
  const std::uint64_t number = senders_.reserve();
  senders_.put(number, std::make_shared<SendComm>(services(), cuda_.get(), connecting.info(),
                                                  connecting.take_socket(), number));
  *send_comm = opaque(Tag::send_comm, number);
  report_.info("channel %d: connected", connecting.info().channel);
  return kSuccess;
}

int Plugin::accept(void* opaque_comm, void** receive_comm, DeviceHandle** device_handle) {
  if (const int problem = enter(HAWSER_EMU_ACCEPT)) return problem;
  const auto comm = listeners_.find(opaque_comm);
  if (comm == nullptr)
    return report_.rule_broken("accept with %p, which is no live listen comm", opaque_comm);
  const Use use(comm->in_use);
  if (!use) return shared(comm->info(), "accept");
  const int channel = comm->info().channel;
  if (comm->accepted) return report_.rule_broken("channel %d: a second accept", channel);
  if (receive_comm == nullptr || device_handle == nullptr || *device_handle == nullptr)
    return report_.rule_broken(
        "channel %d: accept with no 32 bytes for the device handle; the real plugin crashes at "
        "the first receive",
        channel);
  *receive_comm = nullptr;
  Place place;
  if (const int problem = place_of_thread("accept", place)) return problem;
  if (const int problem = check_place("accept", comm->info(), place)) return problem;
  comm->accept_started = true;
  const Outcome outcome = fault(HAWSER_EMU_ACCEPT, comm->info(), &comm->first_accept);
  if (outcome.verdict == Outcome::fail) return outcome.code;
  if (outcome.verdict == Outcome::not_yet) return kSuccess;
  return accept_step(*comm, receive_comm, **device_handle);
}

int Plugin::accept_step(ListenComm& comm, void** receive_comm, DeviceHandle& device_handle) {
  const SetupCalls::Inside inside(*setups_, comm.info().place, "accept");
  const bool greeted = comm.poll();
  if (comm.broken()) {
    comm.accepted = true;
    report_.warn("channel %d: accept: the connection became descriptor 0", comm.info().channel);
    return kInternalError;
  }
  if (!greeted) return kSuccess;
  bool installed = false;
  if (const int problem = install_rule(comm, installed)) return problem;
  if (!installed) return kSuccess;
  std::optional<Socket> socket = comm.welcome();
  if (!socket) return kSuccess;
  comm.accepted = true;
  return make_receiver(comm, std::move(*socket), receive_comm, device_handle);
}

// RxDM is asked for the flow's rule once the flow is there, and before its other end hears of it.
int Plugin::install_rule(ListenComm& comm, bool& installed) {
  const CommInfo& info = comm.info();
  const Outcome outcome = faults_->apply(kTargetRule, info.side, info.channel, &comm.first_rule);
  installed = outcome.verdict == Outcome::proceed;
  if (outcome.verdict != Outcome::fail) return kSuccess;
  comm.accepted = true;
  comm.refuse();
  report_.warn("channel %d: accept: the flow rule was refused", info.channel);
  return outcome.code;
}

// The pool is RxDM's, too: the first to come imports it.
int Plugin::make_receiver(ListenComm& comm, Socket socket, void** receive_comm,
                          DeviceHandle& device_handle) {
  const CommInfo& info = comm.info();
  const Outcome outcome = faults_->apply(kTargetPool, info.side, info.channel);
  if (outcome.verdict == Outcome::fail) return outcome.code;
  BouncePool* pool = pool_of(info.place);
  auto memory = pool == nullptr ? nullptr : make_unpack_memory(info.place, *pool);
  auto ring = Landing::make_ring(info.place);
  if (memory == nullptr || (info.place.on_gpu() && ring == nullptr)) {
    report_.warn("channel %d: accept: no memory for the bounce pool", info.channel);
    return info.place.on_gpu() ? kCudaError : kSystemError;
  }
  memory->describe(device_handle);
  const std::uint64_t number = receivers_.reserve();
  receivers_.put(number, std::make_shared<ReceiveComm>(services(), info, std::move(socket), number,
                                                       steered(info), *pool, std::move(memory),
                                                       std::move(ring)));
  *receive_comm = opaque(Tag::receive_comm, number);
  report_.info("channel %d: accepted", info.channel);
  return kSuccess;
}

std::unique_ptr<UnpackMemory> Plugin::make_unpack_memory(const Place& place, BouncePool& pool) {
  void* bounce = pool.base();
  if (!setups_->import(place))
    bounce = place.dead_address(std::size_t{settings_.pool_pages} * kPageBytes);
  return bounce == nullptr ? nullptr : UnpackMemory::create(place, bounce);
}

int Plugin::close_send(void* opaque_comm) {
  if (const int problem = enter(HAWSER_EMU_CLOSE_SEND)) return problem;
  const auto comm = senders_.find(opaque_comm);
  if (comm == nullptr)
    return report_.rule_broken("closeSend of %p, which is no live send comm", opaque_comm);
  const Use use(comm->in_use);
  if (!use) return shared(comm->info(), "closeSend");
  const Outcome outcome = fault(HAWSER_EMU_CLOSE_SEND, comm->info());
  senders_.remove(opaque_comm);
  windows_.close(comm->info().creation);
  comm->close();
  return outcome.verdict == Outcome::fail ? outcome.code : kSuccess;
}

int Plugin::close_receive(void* opaque_comm) {
  if (const int problem = enter(HAWSER_EMU_CLOSE_RECV)) return problem;
  const auto comm = receivers_.find(opaque_comm);
  if (comm == nullptr)
    return report_.rule_broken("closeRecv of %p, which is no live receive comm", opaque_comm);
  const Use use(comm->in_use);
  if (!use) return shared(comm->info(), "closeRecv");
  const Outcome outcome = fault(HAWSER_EMU_CLOSE_RECV, comm->info());
  receivers_.remove(opaque_comm);
  windows_.close(comm->info().creation);
  comm->close();
  return outcome.verdict == Outcome::fail ? outcome.code : kSuccess;
}

// A listener that was never asked to accept may go; one in the middle of it may not.
int Plugin::close_listen(void* opaque_comm) {
  if (const int problem = enter(HAWSER_EMU_CLOSE_LISTEN)) return problem;
  const auto comm = listeners_.find(opaque_comm);
  if (comm == nullptr)
    return report_.rule_broken("closeListen of %p, which is no live listen comm", opaque_comm);
  const Use use(comm->in_use);
  if (!use) return shared(comm->info(), "closeListen");
  const Outcome outcome = fault(HAWSER_EMU_CLOSE_LISTEN, comm->info());
  if (comm->accept_started && !comm->accepted)
    return report_.rule_broken("channel %d: closeListen before accept has finished",
                               comm->info().channel);
  listeners_.remove(opaque_comm);
  if (!comm->accepted) windows_.close(comm->info().creation);
  return outcome.verdict == Outcome::fail ? outcome.code : kSuccess;
}

}  // namespace emu
