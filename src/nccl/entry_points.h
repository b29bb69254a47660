// The entry points of the plugin in one shape, the newest; exports.cc gives them the shape of each
// ABI version. Each returns an ncclResult_t, throws nothing and logs its own failure, once.
#pragma once

#include <cstddef>
#include <vector>

#include "nccl/core.h"
#include "nccl/library.h"
#include "net/abi/types.h"

namespace hawser::plugin {

// A device as the properties of every version are filled from it.
struct DeviceProperties {
  char* name = nullptr;      // this and the path are valid for ever
  char* pci_path = nullptr;  // null for a virtual interface
  NetDevice device;
  std::vector<int> members;  // its own index, or those of the interfaces it joins
  std::size_t max_message_bytes = 0;
};

int init_communicator(void** context, abi::LogFunction logger) noexcept;
int init_once(abi::LogFunction logger) noexcept;
int finalize(void* context) noexcept;

int devices(int* count) noexcept;
int properties(int device, DeviceProperties& to) noexcept;
// makeVDevice: one device over several.
int join_devices(int* device, const int* members, int count) noexcept;

// Up to v10 there is one context, and it is not passed.
const void* context_for_good() noexcept;
int listen(const void* context, int device, void* handle, void** comm) noexcept;
int connect(const void* context, int device, void* handle, void** comm,
            abi::DeviceHandle** device_handle) noexcept;
int accept(void* listen_comm, void** comm, abi::DeviceHandle** device_handle) noexcept;
int close_comm(void* comm) noexcept;
int close_listen(void* comm) noexcept;

int register_memory(void* comm, void* data, std::size_t bytes, int kind, void** mhandle) noexcept;
int register_dma_buf(void* comm, void* data, std::size_t bytes, int kind, std::uint64_t offset,
                     int fd, void** mhandle) noexcept;
int deregister(void* comm, void* mhandle) noexcept;

int send(void* comm, void* data, std::size_t bytes, int tag, void* mhandle,
         void** request) noexcept;
// `sizes` is an int[n] before v9.
template <class Size>
int receive(void* comm, int n, void** data, const Size* sizes, const int* tags, void** mhandles,
            void** request) noexcept;
int flush(void* comm, int n, void** data, int* sizes, void** mhandles, void** request) noexcept;
int test(void* request, int* done, int* sizes) noexcept;

int device_memory_handle(void* comm, void* mhandle, void** device_mhandle) noexcept;
int consumed(void* comm, int n, void* request) noexcept;
int set_net_attributes(void* context, abi::NetAttr* attributes) noexcept;

}  // namespace hawser::plugin
