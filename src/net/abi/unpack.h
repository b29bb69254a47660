// The unpack contract of TCPX-like plugins: a receive lands as fragments in a bounce pool,
// and shared memory says where each belongs. See docs/net-abi.md, "Unpacking".
#pragma once

#include <cstddef>
#include <cstdint>

namespace hawser::abi {

// netDeviceVersion of the devices whose metadata is as below.
inline constexpr int kUnpackVersion = 7;
inline constexpr std::size_t kUnpackSlots = 16;        // the n-th irecv of a comm uses n % 16
inline constexpr std::size_t kUnpackFragments = 2048;  // at most, in one receive

struct LoadMeta {
  std::uint32_t src_off;  // from the start of the bounce pool
  std::uint32_t len;
  std::uint64_t dst_off;  // from the start of that receive's buffer
};
static_assert(sizeof(LoadMeta) == 16);

// In page-locked host memory; written by the plugin, read by the host.
struct NetUnpackMeta {
  LoadMeta mem[kUnpackSlots][kUnpackFragments];
  std::uint64_t cnt[kUnpackSlots];
};
static_assert(sizeof(NetUnpackMeta) == 524416 && offsetof(NetUnpackMeta, cnt) == 524288);

// What DeviceHandle::handle points to; in device memory on a real plugin.
struct UnpackNetDeviceHandle {
  NetUnpackMeta* meta;
  void* bounce_buf;
  std::uint64_t head;
};
static_assert(sizeof(UnpackNetDeviceHandle) == 24);

}  // namespace hawser::abi
