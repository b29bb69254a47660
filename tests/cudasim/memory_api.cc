// Exports: allocation, what an address is, and copies.
#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "state.h"

using namespace cudasim;

namespace {

CUdeviceptr number(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address);
}

bool on_device(CUdeviceptr address) {
  const auto block = State::get().memory().find(address);
  return block && block->type == kMemoryDevice;
}

struct Copy {
  std::byte* to;
  const std::byte* from;
  std::size_t bytes;
};

void submit(Queue& stream, const Copy& copy) {
  stream.submit([copy] {
    State::get().pace().wait_if_held();
    std::memcpy(copy.to, copy.from, copy.bytes);
  });
}

// As the driver does with memory that is not pinned: it is read before the call returns,
// and reaches the GPU later.
void submit_staged(Queue& stream, const Copy& copy) {
  const auto staged = std::make_shared<std::vector<std::byte>>(copy.from, copy.from + copy.bytes);
  stream.submit([copy, staged] {
    State::get().pace().wait_if_held();
    std::memcpy(copy.to, staged->data(), copy.bytes);
  });
}

// When the call returns: see the driver's "API synchronization behavior".
//   host memory that is not pinned, to the GPU: once it is read
//   GPU to GPU: at once, also from the "synchronous" calls
//   to host memory that is not pinned, and host to host: when it is done
//   pinned to or from the GPU: when it is done, or at once from the asynchronous calls
CUresult start_copy(CUdeviceptr to, CUdeviceptr from, std::size_t bytes, CUstream handle,
                    bool asynchronous) {
  if (const CUresult problem = require_context()) return problem;
  State& state = State::get();
  const auto stream = state.stream(handle, current_context());
  if (stream == nullptr) return kInvalidHandle;
  if (stream->context() != current_context()) return kInvalidContext;
  const Copy copy{state.memory().resolve(to, bytes), state.memory().resolve(from, bytes), bytes};
  if (copy.to == nullptr || copy.from == nullptr) return kInvalidValue;
  state.count_copy();

  const bool to_device = on_device(to);
  const bool from_device = on_device(from);
  if (to_device && state.memory().pageable(from)) {
    submit_staged(*stream, copy);
    return kSuccess;
  }
  submit(*stream, copy);
  const bool host_to_host = !to_device && !from_device;
  const bool at_once =
      (to_device && from_device) || (asynchronous && !host_to_host && !state.memory().pageable(to));
  if (!at_once) stream->wait();
  return kSuccess;
}

CUresult copy_now(CUdeviceptr to, CUdeviceptr from, std::size_t bytes) {
  return start_copy(to, from, bytes, nullptr, false);
}

// The typed calls take device addresses only where their names say so.
CUresult check_device_addresses(std::initializer_list<CUdeviceptr> addresses) {
  if (const CUresult problem = require_context()) return problem;
  for (const CUdeviceptr address : addresses)
    if (!on_device(address)) return kInvalidValue;
  return kSuccess;
}

CUresult start_fill(CUdeviceptr to, unsigned char byte, std::size_t bytes, CUstream handle) {
  State& state = State::get();
  const auto stream = state.stream(handle, current_context());
  if (stream == nullptr) return kInvalidHandle;
  if (stream->context() != current_context()) return kInvalidContext;
  std::byte* const memory = state.memory().resolve(to, bytes);
  if (memory == nullptr) return kInvalidValue;
  stream->submit([=] {
    State::get().pace().wait_if_held();
    std::memset(memory, byte, bytes);
  });
  return kSuccess;
}

template <class T>
CUresult answer(void* data, T value) {
  std::memcpy(data, &value, sizeof value);
  return kSuccess;
}

}  // namespace

CUDASIM_EXPORT CUresult cuMemAlloc_v2(CUdeviceptr* address, std::size_t bytes) {
  if (const CUresult problem = require_context()) return problem;
  return State::get().memory().allocate_device(current_context()->device, bytes, address);
}

CUDASIM_EXPORT CUresult cuMemFree_v2(CUdeviceptr address) {
  if (const CUresult problem = require_context()) return problem;
  State::get().wait_for_all();
  return State::get().memory().free_device(address);
}

CUDASIM_EXPORT CUresult cuMemHostAlloc(void** address, std::size_t bytes, unsigned flags) {
  if (const CUresult problem = require_context()) return problem;
  if (flags > 7) return kInvalidValue;
  return State::get().memory().allocate_pinned(current_context()->device, bytes, address);
}

CUDASIM_EXPORT CUresult cuMemFreeHost(void* address) {
  if (const CUresult problem = require_context()) return problem;
  State::get().wait_for_all();
  return State::get().memory().free_pinned(address);
}

CUDASIM_EXPORT CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* address, void* host,
                                                     unsigned flags) {
  if (const CUresult problem = require_context()) return problem;
  const auto block = State::get().memory().find(number(host));
  if (flags != 0 || !block || block->type != kMemoryHost) return kInvalidValue;
  *address = number(host);
  return kSuccess;
}

CUDASIM_EXPORT CUresult cuMemGetAddressRange_v2(CUdeviceptr* start, std::size_t* bytes,
                                                CUdeviceptr address) {
  if (const CUresult problem = require_context()) return problem;
  const auto block = State::get().memory().find(address);
  if (!block) return kInvalidValue;
  if (start != nullptr) *start = block->start;
  if (bytes != nullptr) *bytes = block->bytes;
  return kSuccess;
}

// Addresses with nothing behind them: no call that maps memory there is simulated.
CUDASIM_EXPORT CUresult cuMemAddressReserve(CUdeviceptr* address, std::size_t bytes,
                                            std::size_t /*alignment*/, CUdeviceptr /*wanted*/,
                                            unsigned long long flags) {
  if (const CUresult problem = require_context()) return problem;
  if (flags != 0) return kInvalidValue;
  return State::get().memory().reserve(current_context()->device, bytes, address);
}

// The descriptor stands for a dma-buf, and nothing can be done with it. As an H200's driver has it:
// start and size are multiples of a page, and the end may be that of the allocation's last page,
// though cuMemGetAddressRange tells of less.
CUDASIM_EXPORT CUresult cuMemGetHandleForAddressRange(void* handle, CUdeviceptr address,
                                                      std::size_t bytes, int type,
                                                      unsigned long long flags) {
  if (const CUresult problem = require_context()) return problem;
  if (handle == nullptr || type != kRangeHandleDmaBuf || flags != 0) return kInvalidValue;
  if (!State::get().memory().exportable(address, bytes)) return kInvalidValue;
  const int fd = memfd_create("simulated dma-buf", MFD_CLOEXEC);
  if (fd < 0) return kOutOfMemory;
  std::memcpy(handle, &fd, sizeof fd);
  return kSuccess;
}

CUDASIM_EXPORT CUresult cuPointerGetAttribute(void* data, int attribute, CUdeviceptr address) {
  if (!State::get().initialised()) return kNotInitialized;
  const auto block = State::get().memory().find(address);
  if (data == nullptr || !block) return kInvalidValue;
  switch (attribute) {
    case kPointerMemoryType:
      return answer(data, static_cast<unsigned>(block->type));
    case kPointerDevicePointer:
      return answer(data, address);
    case kPointerHostPointer:
      return block->type == kMemoryHost ? answer(data, address)
                                        : static_cast<CUresult>(kInvalidValue);
    case kPointerIsManaged:
      return answer(data, false);
    case kPointerDeviceOrdinal:
      return answer(data, block->device);
    case kPointerRangeStart:
      return answer(data, block->start);
    case kPointerRangeSize:
      return answer(data, block->bytes);
  }
  return kInvalidValue;
}

CUDASIM_EXPORT CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, std::size_t bytes) {
  return copy_now(to, from, bytes);
}

CUDASIM_EXPORT CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, std::size_t bytes,
                                      CUstream stream) {
  return start_copy(to, from, bytes, stream, true);
}

CUDASIM_EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, std::size_t bytes) {
  if (const CUresult problem = check_device_addresses({to})) return problem;
  return copy_now(to, number(from), bytes);
}

CUDASIM_EXPORT CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, std::size_t bytes) {
  if (const CUresult problem = check_device_addresses({from})) return problem;
  return copy_now(number(to), from, bytes);
}

CUDASIM_EXPORT CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, std::size_t bytes) {
  if (const CUresult problem = check_device_addresses({to, from})) return problem;
  return copy_now(to, from, bytes);
}

CUDASIM_EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, std::size_t bytes,
                                             CUstream stream) {
  if (const CUresult problem = check_device_addresses({to})) return problem;
  return start_copy(to, number(from), bytes, stream, true);
}

CUDASIM_EXPORT CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, std::size_t bytes,
                                             CUstream stream) {
  if (const CUresult problem = check_device_addresses({from})) return problem;
  return start_copy(number(to), from, bytes, stream, true);
}

CUDASIM_EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, std::size_t bytes,
                                             CUstream stream) {
  if (const CUresult problem = check_device_addresses({to, from})) return problem;
  return start_copy(to, from, bytes, stream, true);
}

CUDASIM_EXPORT CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char byte, std::size_t bytes,
                                        CUstream stream) {
  if (const CUresult problem = check_device_addresses({to})) return problem;
  return start_fill(to, byte, bytes, stream);
}
