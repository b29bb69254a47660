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

// Where the GPU would find these bytes; null where it would not.
std::byte* reach(const Memory& memory, CUdeviceptr address, std::size_t bytes) {
  return memory.pageable(address) ? nullptr : memory.resolve(address, bytes);
}

bool copy_tile(const Memory& memory, const Tile& tile) {
  if (tile.bytes == 0) return true;
  std::byte* const to = reach(memory, tile.destination, tile.bytes);
  const std::byte* const from = reach(memory, tile.source, tile.bytes);
  if (to == nullptr || from == nullptr) return false;
  std::memcpy(to, from, tile.bytes);
  return true;
}

}  // namespace

bool copy_blocks(const Memory& memory, CUdeviceptr tiles, unsigned count) {
  const std::byte* const at = reach(memory, tiles, count * sizeof(Tile));
  if (at == nullptr) return false;
  for (unsigned i = 0; i < count; ++i) {
    Tile tile;
    std::memcpy(&tile, at + i * sizeof tile, sizeof tile);
    if (!copy_tile(memory, tile)) return false;
  }
  return true;
}

}  // namespace cudasim
