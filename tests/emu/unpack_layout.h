// The memory through which an unpacking host learns where a receive landed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace emu {

inline constexpr unsigned kSlots = 16;           // = requests in flight per comm
inline constexpr unsigned kMaxFragments = 2048;  // per request, as far as the layout goes
inline constexpr unsigned kMostFragments = kMaxFragments - 1;  // of a request that has a good end
inline constexpr std::uint32_t kPageBytes = 4096;

struct LoadMeta {
  std::uint32_t source_offset;  // from the start of the bounce pool
  std::uint32_t bytes;
  std::uint64_t destination_offset;  // from the start of the posted buffer
};
static_assert(sizeof(LoadMeta) == 16);

struct UnpackMeta {
  LoadMeta mem[kSlots][kMaxFragments];
  std::uint64_t cnt[kSlots];  // published after mem
};
static_assert(sizeof(UnpackMeta) == 524416 && offsetof(UnpackMeta, cnt) == 524288);

struct UnpackHandle {
  UnpackMeta* meta;    // host memory, mapped for the GPU where there is one
  void* bounce;        // the pool: GPU memory where there is a GPU
  std::uint64_t head;  // the host's to use
};
static_assert(sizeof(UnpackHandle) == 24);

}  // namespace emu
