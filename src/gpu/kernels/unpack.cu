// Puts receives that have landed in a bounce pool in their places: a launch takes the fragments of
// several receives, a warp a fragment. src/gpu/unpack_kernel.cc launches it; scripts/make_kernels.sh
// makes unpack_ptx.h of it, which is what hawser is built with.
#include "copy_tile.cuh"

namespace {

constexpr u32 kMostReceives = 16;
constexpr u32 kBlockWarps = 8;
constexpr u32 kTileBytes = 8192;

// As unpack_kernel.h has them.
struct Receive {
  u64 fragments;
  u64 source;
  u64 destination;
  u64 count;
};
struct Receives {
  Receive receive[kMostReceives];
};
struct Fragment {
  u32 source_offset;
  u32 bytes;
  u64 destination_offset;
};

__device__ u32 row_of_grid() {
  u32 value;
  asm("mov.u32 %0, %%ctaid.y;" : "=r"(value));
  return value;
}

__device__ u32 layer_of_grid() {
  u32 value;
  asm("mov.u32 %0, %%ctaid.z;" : "=r"(value));
  return value;
}

__device__ u32 layers_of_grid() {
  u32 value;
  asm("mov.u32 %0, %%nctaid.z;" : "=r"(value));
  return value;
}

__device__ u64 choose(bool first, u64 one, u64 other) {
  u64 value;
  asm("{\n\t.reg .pred p;\n\tsetp.ne.u32 p, %3, 0;\n\tselp.b64 %0, %1, %2, p;\n\t}"
      : "=l"(value)
      : "l"(one), "l"(other), "r"(static_cast<u32>(first)));
  return value;
}

// Without an index that is known only at run time, which would copy all of them to memory.
__device__ Receive receive_of_row(const Receives& all) {
  const u32 row = row_of_grid();
  Receive mine = all.receive[0];
#pragma unroll
  for (u32 i = 1; i < kMostReceives; ++i) {
    mine.fragments = choose(row == i, all.receive[i].fragments, mine.fragments);
    mine.source = choose(row == i, all.receive[i].source, mine.source);
    mine.destination = choose(row == i, all.receive[i].destination, mine.destination);
    mine.count = choose(row == i, all.receive[i].count, mine.count);
  }
  return mine;
}

// From the host's memory, where the plugin wrote it. Not volatile, or each lane's would be a read of
// its own over PCIe; nothing of an earlier launch is cached when one begins.
__device__ Fragment read_fragment(u64 at) {
  Word word;
  load(word, at, true);
  return {word.part[0], word.part[1], u64{word.part[3]} << 32 | word.part[2]};
}

__device__ void wait_for_block() { asm volatile("bar.sync 0;" ::: "memory"); }

}  // namespace

// x: a block's fragments of a receive, y: the receive, z: which tiles of a long fragment. The block's
// descriptors come over PCIe in one read.
extern "C" __global__ void hawser_unpack(const Receives receives) {
  __shared__ Fragment fragments[kBlockWarps];
  const Receive receive = receive_of_row(receives);
  const u32 thread = thread_of_block();
  const u32 first = block_of_grid() * kBlockWarps;
  const u32 warp = thread / kLanes;
  if (thread < kBlockWarps && first + thread < receive.count)
    fragments[thread] = read_fragment(receive.fragments + u64{first + thread} * sizeof(Fragment));
  wait_for_block();
  if (first + warp >= receive.count) return;
  const Fragment mine = fragments[warp];
  const u64 to = receive.destination + mine.destination_offset;
  const u64 from = receive.source + mine.source_offset;
  for (u64 at = u64{layer_of_grid()} * kTileBytes; at < mine.bytes;
       at += u64{layers_of_grid()} * kTileBytes) {
    const u32 bytes = mine.bytes - static_cast<u32>(at);
    copy_tile(to + at, from + at, bytes < kTileBytes ? bytes : kTileBytes, thread % kLanes);
  }
}
