// Copies many pieces of memory in one launch, a warp to a piece. src/gpu/block_kernel.cc launches
// it; scripts/make_kernels.sh makes copy_blocks_ptx.h of it, which is what hawser is built with.
#include "copy_tile.cuh"

namespace {

// As block_kernel.h has it. One sector of memory: one read over PCIe.
struct Tile {
  u64 destination;
  u64 source;
  u32 bytes;
  u32 unused[3];
};

// One read over PCIe: two lanes read half a tile each, and tell the others. Not volatile, or each lane's
// would be a read of its own; nothing of an earlier launch is cached when one begins.
__device__ Tile read_tile(const Tile* at, u32 lane) {
  Word half{};
  load(half, reinterpret_cast<u64>(at) + lane * kWordBytes, lane < 2);
  Tile tile{};
  tile.destination = u64{from_lane(half.part[1], 0)} << 32 | from_lane(half.part[0], 0);
  tile.source = u64{from_lane(half.part[3], 0)} << 32 | from_lane(half.part[2], 0);
  tile.bytes = from_lane(half.part[0], 1);
  return tile;
}

}  // namespace

extern "C" __global__ void hawser_copy_blocks(const Tile* tiles, u32 count) {
  const u32 lane = thread_of_block() % kLanes;
  const u32 warps_of_block = threads_of_block() / kLanes;
  const u32 step = blocks_of_grid() * warps_of_block;
  for (u32 at = block_of_grid() * warps_of_block + thread_of_block() / kLanes; at < count;
       at += step) {
    const Tile tile = read_tile(tiles + at, lane);
    copy_tile(tile.destination, tile.source, tile.bytes, lane);
  }
}
