// The two symbols that the library exports. The ABI has no context argument, so the plugin's
// state is one object of the process; it is never destroyed, because a host (or the fault
// "exit") may end the process while other threads are still in a call.
#include <new>

#include "plugin.h"

namespace emu {
namespace {

Plugin& plugin() {
  alignas(Plugin) static std::byte storage[sizeof(Plugin)];
  static Plugin* const instance = new (storage) Plugin;
  return *instance;
}

// Nothing may be thrown across the C boundary.
template <typename Call>
int guarded(Call call) noexcept {
  const CallsInProgress::Scope inside(plugin().calls());
  try {
    return call(plugin());
  } catch (const std::exception& problem) {
    plugin().report().warn("%s", problem.what());
    return kSystemError;
  }
}

int init(Logger logger) {
  return guarded([=](Plugin& p) { return p.init(logger); });
}
int devices(int* count) {
  return guarded([=](Plugin& p) { return p.devices(count); });
}
int get_properties(int device, Properties* properties) {
  return guarded([=](Plugin& p) { return p.get_properties(device, properties); });
}
int listen(int device, void* handle, void** comm) {
  return guarded([=](Plugin& p) { return p.listen(device, handle, comm); });
}
int connect(int device, void* handle, void** comm, DeviceHandle**) {
  return guarded([=](Plugin& p) { return p.connect(device, handle, comm); });
}
int accept(void* listen_comm, void** comm, DeviceHandle** device_handle) {
  return guarded([=](Plugin& p) { return p.accept(listen_comm, comm, device_handle); });
}
int reg_mr(void* comm, void* data, int bytes, int type, void** registration) {
  return guarded([=](Plugin& p) { return p.reg_mr(comm, data, bytes, type, registration); });
}
int dereg_mr(void* comm, void* registration) {
  return guarded([=](Plugin& p) { return p.dereg_mr(comm, registration); });
}
int isend(void* comm, void* data, int bytes, int /*tag*/, void* registration, void** request) {
  return guarded([=](Plugin& p) { return p.isend(comm, data, bytes, registration, request); });
}
int irecv(void* comm, int count, void** data, int* bytes, int* /*tags*/, void** registrations,
          void** request) {
  return guarded(
      [=](Plugin& p) { return p.irecv(comm, count, data, bytes, registrations, request); });
}
int iflush(void*, int, void**, int*, void**, void**) {
  return guarded([](Plugin& p) { return p.iflush(); });
}
int test(void* request, int* done, int* /*bytes: never written*/) {
  return guarded([=](Plugin& p) { return p.test(request, done); });
}
int close_send(void* comm) {
  return guarded([=](Plugin& p) { return p.close_send(comm); });
}
int close_receive(void* comm) {
  return guarded([=](Plugin& p) { return p.close_receive(comm); });
}
int close_listen(void* comm) {
  return guarded([=](Plugin& p) { return p.close_listen(comm); });
}
int get_device_mr(void* comm, void*, void**) {
  return guarded([=](Plugin& p) { return p.get_device_mr(comm); });
}
int irecv_consumed(void* comm, int count, void* request) {
  return guarded([=](Plugin& p) { return p.irecv_consumed(comm, count, request); });
}

}  // namespace
}  // namespace emu

extern "C" {

extern __attribute__((visibility("default"))) const emu::NetTable ncclNetPlugin_v7;
const emu::NetTable ncclNetPlugin_v7 = {
    "GPUDirectTCPX_emulated_v7",
    emu::init,
    emu::devices,
    emu::get_properties,
    emu::listen,
    emu::connect,
    emu::accept,
    emu::reg_mr,
    nullptr,
    emu::dereg_mr,
    emu::isend,
    emu::irecv,
    emu::iflush,
    emu::test,
    emu::close_send,
    emu::close_receive,
    emu::close_listen,
    emu::get_device_mr,
    emu::irecv_consumed,
};

__attribute__((visibility("default"))) void hawser_emu_stats(HawserEmuStats* stats) {
  emu::plugin().stats(*stats);
}

}  // extern "C"
