// What src/gpu/kernels/unpack.cu does, on the CPU.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "memory.h"
#include "module.h"

namespace cudasim {
namespace {

constexpr unsigned kMostReceives = 16;
constexpr unsigned kFragmentsPerBlock = 8;

// Mirror that file's.
struct Receive {
  CUdeviceptr fragments;
  CUdeviceptr source;
  CUdeviceptr destination;
  std::uint64_t count;
};
struct Receives {
  Receive receive[kMostReceives];
};
struct Fragment {
  std::uint32_t source_offset;
  std::uint32_t bytes;
  std::uint64_t destination_offset;
};

// As many fragments as the grid has warps for.
bool unpack_one(const Memory& memory, const Receive& receive, unsigned blocks) {
  const std::uint64_t count =
      std::min<std::uint64_t>(receive.count, std::uint64_t{blocks} * kFragmentsPerBlock);
  if (count == 0) return true;
  const std::byte* const at = reach(memory, receive.fragments, count * sizeof(Fragment));
  if (at == nullptr) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    Fragment fragment;
    std::memcpy(&fragment, at + i * sizeof fragment, sizeof fragment);
    if (!copy_on_gpu(memory, receive.destination + fragment.destination_offset,
                     receive.source + fragment.source_offset, fragment.bytes))
      return false;
  }
  return true;
}

}  // namespace

Work bind_unpack(const Grid& grid, void** arguments) {
  return [grid, receives = argument<Receives>(arguments, 0)](const Memory& memory) {
    for (unsigned row = 0; row < std::min(grid.y, kMostReceives); ++row)
      if (!unpack_one(memory, receives.receive[row], grid.x)) return false;
    return true;
  };
}

}  // namespace cudasim
