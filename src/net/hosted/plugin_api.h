// PluginApi: the entry points of a hosted plugin, in the newest shape, whatever its version.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/abi/types.h"

namespace hawser {

// A device's properties, with what older versions do not tell filled in.
struct PluginProperties {
  std::string name;
  std::string pci_path;
  std::uint64_t guid = 0;
  int pointer_support = 0;  // abi::PointerKind bits
  bool registration_is_global = false;
  int speed_mbps = 0;
  int port = 0;
  float latency_us = 0;
  int max_comms = 0;
  int max_receives = 1;
  int device_type = abi::kDeviceHost;
  int device_version = 0;
  std::size_t max_p2p_bytes = 0;  // 0: not told
};

// What a version, or one plugin, can do.
struct PluginTraits {
  int version = 0;
  std::size_t max_registration_bytes = 0;  // what regMr's size can express
  std::size_t max_request_bytes = 0;       // what isend's size can express
  bool init_per_net = false;               // else once per process
  bool has_iflush = false;
  bool has_irecv_consumed = false;
};

// Calls return the plugin's result code as it is. Entry points that are optional and null are
// never called: see traits(). Sizes must be within traits(). As thread-safe as the plugin.
class PluginApi {
 public:
  virtual ~PluginApi() = default;

  virtual const char* name() const = 0;
  virtual const PluginTraits& traits() const = 0;
  virtual const void* table() const = 0;  // identifies the plugin in this process

  virtual int init(void** context, std::uint64_t comm_id, abi::LogFunction log) = 0;
  virtual int finalize(void* context) = 0;  // a no-op before v11
  virtual int devices(int* count) = 0;
  virtual int properties(int device, PluginProperties* properties) = 0;

  virtual int listen(void* context, int device, void* handle, void** listen_comm) = 0;
  // Device handles are ignored before v7.
  virtual int connect(void* context, int device, void* handle, void** send_comm,
                      abi::DeviceHandle** device_handle) = 0;
  virtual int accept(void* listen_comm, void** receive_comm, abi::DeviceHandle** device_handle) = 0;
  virtual int close_send(void* comm) = 0;
  virtual int close_receive(void* comm) = 0;
  virtual int close_listen(void* comm) = 0;

  virtual int register_memory(void* comm, void* data, std::size_t bytes, int kind,
                              void** memory_handle) = 0;
  virtual int deregister(void* comm, void* memory_handle) = 0;

  virtual int send(void* comm, void* data, std::size_t bytes, int tag, void* memory_handle,
                   void** request) = 0;
  virtual int receive(void* comm, void* data, std::size_t bytes, int tag, void* memory_handle,
                      void** request) = 0;
  virtual int flush(void* comm, void* data, int bytes, void* memory_handle, void** request) = 0;
  virtual int test(void* request, int* done, int* sizes) = 0;
  virtual int consumed(void* comm, void* request) = 0;
};

// `table` is what the symbol ncclNetPlugin_v<version> names; it must outlive the PluginApi.
// The error names the entry point that is missing, or the version that is not hosted.
Result<std::unique_ptr<PluginApi>> make_plugin_api(int version, const void* table);

}  // namespace hawser
