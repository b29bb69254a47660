// What the two ends of an emulated connection say to each other, and to other processes
// through the connection handle. Little endian, fixed sizes; every field is checked.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "devices.h"

namespace emu {

// The handle: the first 88 of the caller's 128 bytes. connect keeps its state in it.
struct HandleBytes {
  std::uint64_t magic;
  std::uint64_t nonce;     // names the listener
  std::int32_t channel;    // order of listen calls, so that both ends agree on it
  std::uint32_t scope_id;  // of a link-local IPv6 address
  std::uint16_t family;    // 4 or 6
  std::uint16_t port;
  std::uint32_t unused;
  std::uint8_t address[16];
  std::uint64_t connecting;  // 0 until connect was first called with it
  std::uint64_t buffer;      // where the handle lay then
  std::uint8_t filler[24];
};
static_assert(sizeof(HandleBytes) == 88);

inline constexpr std::uint64_t kHandleMagic = 0x3158504354756d65;  // "emuTCPX1"

void set_address(HandleBytes& handle, const Address& address);
std::optional<Address> address_of(const HandleBytes& handle);  // nullopt: malformed

// One fixed-size message, 24 bytes on the wire: a hello, its answer (a welcome, or that there is no
// flow rule for it), the header of a payload, or the receiver's refusal of one.
enum class FrameKind : std::uint32_t {
  hello = 1,
  welcome = 2,
  data = 3,
  too_long = 4,
  no_rule = 5
};

struct Frame {
  FrameKind kind = FrameKind::data;
  std::uint32_t number = 0;  // hello: the channel; data: the request's number on its comm
  std::uint64_t value = 0;   // hello and its answer: the nonce; data: payload bytes
};

inline constexpr std::size_t kFrameBytes = 24;
inline constexpr std::size_t kMaxBytesPerTest = 1 << 20;  // so that no call of test takes long
using FrameBytes = std::array<std::byte, kFrameBytes>;

FrameBytes encode(const Frame& frame);
std::optional<Frame> decode(const FrameBytes& bytes);  // nullopt: no frame of ours

}  // namespace emu
