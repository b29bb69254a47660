// A piece of memory: where it is, how long, and whose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace hawser {

enum class MemoryKind { host, cuda };

// A value that owns nothing. `data` is a host address, or a CUdeviceptr as a pointer.
struct MemoryRange {
  void* data = nullptr;
  std::size_t bytes = 0;
  MemoryKind kind = MemoryKind::host;
  int gpu = -1;             // the CUDA ordinal, for MemoryKind::cuda
  bool may_vanish = false;  // it is a user's: whoever copies must not fault on it

  std::byte* at(std::size_t offset) const { return static_cast<std::byte*>(data) + offset; }
  MemoryRange slice(std::size_t offset, std::size_t length) const {
    return {at(offset), length, kind, gpu, may_vanish};
  }
  std::uintptr_t address() const { return reinterpret_cast<std::uintptr_t>(data); }
  // Whether all of `inner` lies in this range, in the same kind of memory of the same GPU.
  bool contains(const MemoryRange& inner) const;
};

const char* memory_kind_name(MemoryKind kind);

// devmem TCP wants pages; every buffer of ours starts on one.
inline constexpr std::size_t kPageBytes = 4096;

}  // namespace hawser
