// What src/gpu/kernels/copy_blocks.cu does, on the CPU.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "memory.h"
#include "module.h"

namespace cudasim {
namespace {

// Mirrors that file's.
struct Tile {
  CUdeviceptr destination;
  CUdeviceptr source;
  std::uint32_t bytes;
  std::uint32_t unused[3];
};

bool copy_tiles(const Memory& memory, CUdeviceptr tiles, unsigned count) {
  const std::byte* const at = reach(memory, tiles, count * sizeof(Tile));
  if (at == nullptr) return false;
  for (unsigned i = 0; i < count; ++i) {
    Tile tile;
    std::memcpy(&tile, at + i * sizeof tile, sizeof tile);
    if (!copy_on_gpu(memory, tile.destination, tile.source, tile.bytes)) return false;
  }
  return true;
}

}  // namespace

std::byte* reach(const Memory& memory, CUdeviceptr address, std::size_t bytes) {
  return memory.pageable(address) ? nullptr : memory.resolve(address, bytes);
}

bool copy_on_gpu(const Memory& memory, CUdeviceptr to, CUdeviceptr from, std::size_t bytes) {
  if (bytes == 0) return true;
  std::byte* const there = reach(memory, to, bytes);
  const std::byte* const here = reach(memory, from, bytes);
  if (there == nullptr || here == nullptr) return false;
  std::memcpy(there, here, bytes);
  return true;
}

Work bind_copy_blocks(const Grid&, void** arguments) {
  const auto tiles = argument<CUdeviceptr>(arguments, 0);
  const auto count = argument<unsigned>(arguments, 1);
  return [tiles, count](const Memory& memory) { return copy_tiles(memory, tiles, count); };
}

}  // namespace cudasim
