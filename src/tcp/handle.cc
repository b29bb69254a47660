#include "tcp/handle.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/endian.h"

namespace hawser::tcp {
namespace {

// Offsets of the fields; everything else is reserved and zero.
constexpr std::size_t kMagicAt = 0;
constexpr std::size_t kVersionAt = 4;
constexpr std::size_t kFamilyAt = 6;
constexpr std::size_t kPortAt = 8;
constexpr std::size_t kAddressAt = 16;
constexpr std::size_t kNonceAt = 32;
constexpr std::size_t kEndAt = kNonceAt + kNonceBytes;
static_assert(kEndAt <= kHandleBytes);

Error bad_handle(std::string why) {
  return Error(Code::protocol, "the peer's handle is not one of hawser TCP: " + why);
}

Status check_form(const Handle& handle) {
  if (load_le<std::uint32_t>(&handle[kMagicAt]) != kHandleMagic)
    return bad_handle("wrong magic; do both sides use the same transport?");
  if (const auto version = load_le<std::uint16_t>(&handle[kVersionAt]); version != kHandleVersion)
    return bad_handle(fmt::format("version {}, and this side knows {}", version, kHandleVersion));
  const auto family = load_le<std::uint8_t>(&handle[kFamilyAt]);
  if (family != 4 && family != 6) return bad_handle(fmt::format("address family {}", family));
  if (load_le<std::uint16_t>(&handle[kPortAt]) == 0) return bad_handle("port 0");
  return {};
}

}  // namespace

Handle encode_handle(const ListenerName& name) {
  Handle handle{};
  store_le<std::uint32_t>(&handle[kMagicAt], kHandleMagic);
  store_le<std::uint16_t>(&handle[kVersionAt], kHandleVersion);
  store_le<std::uint8_t>(&handle[kFamilyAt], static_cast<std::uint8_t>(name.address.ip.family));
  store_le<std::uint16_t>(&handle[kPortAt], name.address.port);
  std::copy(name.address.ip.bytes.begin(), name.address.ip.bytes.end(), &handle[kAddressAt]);
  std::copy(name.nonce.begin(), name.nonce.end(), &handle[kNonceAt]);
  return handle;
}

Result<ListenerName> decode_handle(const Handle& handle) {
  HAWSER_TRY(check_form(handle));
  ListenerName name;
  name.address.ip.family = static_cast<IpFamily>(load_le<std::uint8_t>(&handle[kFamilyAt]));
  name.address.port = load_le<std::uint16_t>(&handle[kPortAt]);
  std::copy_n(&handle[kAddressAt], name.address.ip.bytes.size(), name.address.ip.bytes.begin());
  std::copy_n(&handle[kNonceAt], kNonceBytes, name.nonce.begin());
  // What a decoded handle says must be all that it holds: nothing in the reserved bytes, nothing
  // behind an IPv4 address.
  if (name.address.ip.family == IpFamily::ipv4)
    std::fill(name.address.ip.bytes.begin() + 4, name.address.ip.bytes.end(), std::byte{0});
  if (encode_handle(name) != handle) return bad_handle("reserved bytes are not zero");
  return name;
}

}  // namespace hawser::tcp
