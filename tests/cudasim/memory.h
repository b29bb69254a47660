// The simulated address space: device memory that the CPU cannot touch, and pinned memory.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>

#include "abi.h"

namespace cudasim {

inline constexpr int kMaxDevices = 8;
inline constexpr std::size_t kDeviceBytes = std::size_t{4} << 30;

struct Block {
  MemoryType type;
  int device;
  CUdeviceptr start;
  std::size_t bytes;
};

// Thread-safe. Device addresses lie in a reservation without access rights; the bytes
// behind them are in a second mapping of the same size, which only copies see.
class Memory {
 public:
  Memory();

  CUresult allocate_device(int device, std::size_t bytes, CUdeviceptr* address);
  CUresult free_device(CUdeviceptr address);
  // Addresses that nothing is at, and that nothing else is given.
  CUresult reserve(int device, std::size_t bytes, CUdeviceptr* address);
  // Would a GPU's driver make a dma-buf of these bytes?
  bool exportable(CUdeviceptr address, std::size_t bytes) const;
  CUresult allocate_pinned(int device, std::size_t bytes, void** address);
  CUresult free_pinned(void* address);

  // The live block that holds the address, if one does.
  std::optional<Block> find(CUdeviceptr address) const;
  // Where the CPU finds these bytes: for device memory the second mapping; for memory that
  // CUDA does not know, the address. Null where they leave a block, or were freed.
  std::byte* resolve(CUdeviceptr address, std::size_t bytes) const;
  // Neither device memory nor pinned: ordinary memory.
  bool pageable(CUdeviceptr address) const;

  std::size_t count(MemoryType type) const;
  std::size_t device_bytes() const;

 private:
  bool in_reservation(CUdeviceptr address) const;
  std::optional<CUdeviceptr> find_room(int device, std::size_t bytes) const;
  std::optional<Block> find_locked(CUdeviceptr address) const;
  std::byte* backing(CUdeviceptr address) const { return backing_ + (address - base_); }

  mutable std::mutex mutex_;
  std::map<CUdeviceptr, Block> blocks_;
  CUdeviceptr base_;
  std::byte* backing_;
};

}  // namespace cudasim
