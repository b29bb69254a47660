// What the kernels here share: which thread this is, and how a warp copies a piece of memory of any
// length between any two addresses.
//
// No CUDA header is included, so that clang compiles this without a CUDA toolkit, for GPUs and
// drivers older than today's nvcc knows; nvcc takes it too. The instructions written out are
// those that tell how wide an access is, and to which kind of memory.
#pragma once

#ifndef __global__
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#endif

namespace {

using u32 = unsigned;
using u64 = unsigned long long;

constexpr u32 kLanes = 32;
constexpr u32 kRound = 8;       // words that a lane has in flight, for memory that is far away
constexpr u32 kWordBytes = 16;  // the widest access there is

struct Word {
  u32 part[4];
};

__device__ u32 thread_of_block() {
  u32 value;
  asm("mov.u32 %0, %%tid.x;" : "=r"(value));
  return value;
}

__device__ u32 block_of_grid() {
  u32 value;
  asm("mov.u32 %0, %%ctaid.x;" : "=r"(value));
  return value;
}

[[maybe_unused]] __device__ u32 threads_of_block() {
  u32 value;
  asm("mov.u32 %0, %%ntid.x;" : "=r"(value));
  return value;
}

[[maybe_unused]] __device__ u32 blocks_of_grid() {
  u32 value;
  asm("mov.u32 %0, %%nctaid.x;" : "=r"(value));
  return value;
}

// Loads and stores that happen where `wanted` says so; else the value is anything.
__device__ void load(Word& word, u64 from, bool wanted) {
  asm volatile(
      "{\n\t.reg .pred p;\n\tsetp.ne.u32 p, %5, 0;\n\t"
      "@p ld.global.v4.u32 {%0, %1, %2, %3}, [%4];\n\t}"
      : "=r"(word.part[0]), "=r"(word.part[1]), "=r"(word.part[2]), "=r"(word.part[3])
      : "l"(from), "r"(static_cast<u32>(wanted)));
}

__device__ void store(u64 to, const Word& word, bool wanted) {
  asm volatile(
      "{\n\t.reg .pred p;\n\tsetp.ne.u32 p, %5, 0;\n\t"
      "@p st.global.v4.u32 [%4], {%0, %1, %2, %3};\n\t}" ::"r"(word.part[0]),
      "r"(word.part[1]), "r"(word.part[2]), "r"(word.part[3]), "l"(to),
      "r"(static_cast<u32>(wanted)));
}

__device__ void load_byte(u32& byte, u64 from, bool wanted) {
  asm volatile("{\n\t.reg .pred p;\n\tsetp.ne.u32 p, %2, 0;\n\t@p ld.global.u8 %0, [%1];\n\t}"
               : "=r"(byte)
               : "l"(from), "r"(static_cast<u32>(wanted)));
}

__device__ void store_byte(u64 to, u32 byte, bool wanted) {
  asm volatile(
      "{\n\t.reg .pred p;\n\tsetp.ne.u32 p, %2, 0;\n\t@p st.global.u8 [%1], %0;\n\t}" ::"r"(byte),
      "l"(to), "r"(static_cast<u32>(wanted)));
}

__device__ u32 from_lane(u32 given, u32 lane) {
  u32 taken;
  asm volatile("shfl.sync.idx.b32 %0, %1, %2, 31, -1;" : "=r"(taken) : "r"(given), "r"(lane));
  return taken;
}

// What the next lane gives; the last lane gets what the first gives.
__device__ u32 from_next_lane(u32 given, u32 lane) { return from_lane(given, (lane + 1) % kLanes); }

// The low half of high:low shifted right, by less than 32 bits.
__device__ u32 shift_right(u32 low, u32 high, u32 bits) {
  u32 value;
  asm("shf.r.wrap.b32 %0, %1, %2, %3;" : "=r"(value) : "r"(low), "r"(high), "r"(bits));
  return value;
}

// `one` where `first` says so, else `other`. Written out, or clang selects between addresses of an
// array, which then has to be in memory.
__device__ u32 choose(bool first, u32 one, u32 other) {
  u32 value;
  asm("{\n\t.reg .pred p;\n\tsetp.ne.u32 p, %3, 0;\n\tselp.b32 %0, %1, %2, p;\n\t}"
      : "=r"(value)
      : "r"(one), "r"(other), "r"(static_cast<u32>(first)));
  return value;
}

// The 16 bytes that begin `shift` bytes into `first`, and go on in `second`.
__device__ Word straddling(const Word& first, const Word& second, u32 shift) {
  u32 part[8];
#pragma unroll
  for (u32 i = 0; i < 4; ++i) part[i] = first.part[i], part[i + 4] = second.part[i];
#pragma unroll
  for (u32 i = 0; i < 6; ++i) part[i] = choose((shift & 8) != 0, part[i + 2], part[i]);
#pragma unroll
  for (u32 i = 0; i < 5; ++i) part[i] = choose((shift & 4) != 0, part[i + 1], part[i]);
  Word word;
#pragma unroll
  for (u32 i = 0; i < 4; ++i) word.part[i] = shift_right(part[i], part[i + 1], shift % 4 * 8);
  return word;
}

// All loads of a round are under way before the first store waits for its own.
__device__ void copy_words(u64 to, u64 from, u32 words, u32 lane) {
  for (u32 base = 0; base < words; base += kRound * kLanes) {
    Word word[kRound];
#pragma unroll
    for (u32 i = 0; i < kRound; ++i) {
      const u32 at = base + i * kLanes + lane;
      load(word[i], from + u64{at} * kWordBytes, at < words);
    }
#pragma unroll
    for (u32 i = 0; i < kRound; ++i) {
      const u32 at = base + i * kLanes + lane;
      store(to + u64{at} * kWordBytes, word[i], at < words);
    }
  }
}

// The same where source and destination are not aligned alike: the source is read in its own
// aligned words, one more than are written, and each lane borrows the one after its own.
__device__ void copy_straddling_words(u64 to, u64 from, u32 words, u32 shift, u32 lane) {
  for (u32 base = 0; base < words; base += kRound * kLanes) {
    Word word[kRound + 1];
#pragma unroll
    for (u32 i = 0; i < kRound + 1; ++i) {
      const u32 at = base + i * kLanes + lane;
      load(word[i], from + u64{at} * kWordBytes, at <= words && (i < kRound || lane == 0));
    }
#pragma unroll
    for (u32 i = 0; i < kRound; ++i) {
      Word next;
#pragma unroll
      for (u32 j = 0; j < 4; ++j)
        next.part[j] =
            from_next_lane(choose(lane == 0, word[i + 1].part[j], word[i].part[j]), lane);
      const u32 at = base + i * kLanes + lane;
      store(to + u64{at} * kWordBytes, straddling(word[i], next, shift), at < words);
    }
  }
}

__device__ void copy_bytes(u64 to, u64 from, u32 bytes, u32 lane) {
  for (u32 at = lane; at < bytes; at += kLanes) {
    u32 byte;
    load_byte(byte, from + at, true);
    store_byte(to + at, byte, true);
  }
}

// A head of bytes up to an aligned destination, a body of words, a tail of bytes; head and tail
// are shorter than a warp. Nothing outside the source is read, not even in the same word.
__device__ void copy_tile(u64 to, u64 from, u32 bytes, u32 lane) {
  if (bytes < 4 * kWordBytes) return copy_bytes(to, from, bytes, lane);
  const u32 shift = static_cast<u32>(from - to) % kWordBytes;
  u32 head = static_cast<u32>(0 - to) % kWordBytes;
  if (head < shift) head += kWordBytes;
  const u32 words = (bytes - head + shift) / kWordBytes - (shift == 0 ? 0 : 1);
  const u32 tail = bytes - head - words * kWordBytes;
  const u64 tail_at = u64{head} + u64{words} * kWordBytes;

  u32 head_byte, tail_byte;
  load_byte(head_byte, from + lane, lane < head);
  load_byte(tail_byte, from + tail_at + lane, lane < tail);
  if (shift == 0)
    copy_words(to + head, from + head, words, lane);
  else
    copy_straddling_words(to + head, from + head - shift, words, shift, lane);
  store_byte(to + lane, head_byte, lane < head);
  store_byte(to + tail_at + lane, tail_byte, lane < tail);
}

}  // namespace
