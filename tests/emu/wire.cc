#include "wire.h"

#include <arpa/inet.h>
#include <endian.h>

#include <cstring>

namespace emu {
namespace {

constexpr std::uint32_t kFrameMagic = 0x32504d45;  // "EMP2"

// Offsets: magic 0, kind 4, number 8, zero 12, value 16.
void put32(FrameBytes& bytes, std::size_t at, std::uint32_t value) {
  value = htole32(value);
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

std::uint32_t get32(const FrameBytes& bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return le32toh(value);
}

}  // namespace

FrameBytes encode(const Frame& frame) {
  FrameBytes bytes{};
  put32(bytes, 0, kFrameMagic);
  put32(bytes, 4, static_cast<std::uint32_t>(frame.kind));
  put32(bytes, 8, frame.number);
  put32(bytes, 16, static_cast<std::uint32_t>(frame.value));
  put32(bytes, 20, static_cast<std::uint32_t>(frame.value >> 32));
  return bytes;
}

std::optional<Frame> decode(const FrameBytes& bytes) {
  const std::uint32_t kind = get32(bytes, 4);
  if (get32(bytes, 0) != kFrameMagic || get32(bytes, 12) != 0) return std::nullopt;
  if (kind < 1 || kind > static_cast<std::uint32_t>(FrameKind::no_rule)) return std::nullopt;
  const std::uint64_t value = get32(bytes, 16) | std::uint64_t{get32(bytes, 20)} << 32;
  return Frame{static_cast<FrameKind>(kind), get32(bytes, 8), value};
}

void set_address(HandleBytes& handle, const Address& address) {
  const bool v6 = address.any.sa_family == AF_INET6;
  handle.family = v6 ? 6 : 4;
  handle.port = ntohs(v6 ? address.v6.sin6_port : address.v4.sin_port);
  handle.scope_id = v6 ? address.v6.sin6_scope_id : 0;
  std::memset(handle.address, 0, sizeof handle.address);
  if (v6)
    std::memcpy(handle.address, &address.v6.sin6_addr, sizeof address.v6.sin6_addr);
  else
    std::memcpy(handle.address, &address.v4.sin_addr, sizeof address.v4.sin_addr);
}

std::optional<Address> address_of(const HandleBytes& handle) {
  if (handle.magic != kHandleMagic || handle.port == 0) return std::nullopt;
  if (handle.family != 4 && handle.family != 6) return std::nullopt;
  Address address{};
  if (handle.family == 6) {
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = htons(handle.port);
    address.v6.sin6_scope_id = handle.scope_id;
    std::memcpy(&address.v6.sin6_addr, handle.address, sizeof address.v6.sin6_addr);
  } else {
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(handle.port);
    std::memcpy(&address.v4.sin_addr, handle.address, sizeof address.v4.sin_addr);
  }
  return address;
}

}  // namespace emu
