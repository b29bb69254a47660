#include "tcp/handle.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/endian.h"

namespace hawser::tcp {
namespace {

// Offsets of the fields; everything else is reserved and zero.
constexpr std::size_t kHandleMagicAt = 0;
constexpr std::size_t kHandleVersionAt = 4;
constexpr std::size_t kFamilyAt = 6;
constexpr std::size_t kCountAt = 7;
constexpr std::size_t kPortsAt = 8;  // kMaxPaths of 2 bytes
constexpr std::size_t kNonceAt = 16;
constexpr std::size_t kAddressesAt = 32;  // kMaxPaths of 16 bytes
static_assert(kPortsAt + 2 * kMaxPaths == kNonceAt);
static_assert(kNonceAt + kNonceBytes == kAddressesAt);
static_assert(kAddressesAt + 16 * kMaxPaths <= kHandleBytes);

Error bad_handle(std::string why) {
  return Error(Code::protocol, "the peer's handle is not one of hawser TCP: " + why);
}

Status check_form(const Handle& handle) {
  if (load_le<std::uint32_t>(&handle[kHandleMagicAt]) != kHandleMagic)
    return bad_handle("wrong magic; do both sides use the same transport?");
  if (const auto version = load_le<std::uint16_t>(&handle[kHandleVersionAt]);
      version != kHandleVersion)
    return bad_handle(fmt::format("version {}, and this side knows {}", version, kHandleVersion));
  const auto family = load_le<std::uint8_t>(&handle[kFamilyAt]);
  if (family != 4 && family != 6) return bad_handle(fmt::format("address family {}", family));
  const auto count = load_le<std::uint8_t>(&handle[kCountAt]);
  if (count < 1 || count > kMaxPaths) return bad_handle(fmt::format("{} addresses", count));
  return {};
}

Result<SocketAddress> decode_address(const Handle& handle, std::size_t i) {
  SocketAddress address;
  address.ip.family = static_cast<IpFamily>(load_le<std::uint8_t>(&handle[kFamilyAt]));
  address.port = load_le<std::uint16_t>(&handle[kPortsAt + 2 * i]);
  if (address.port == 0) return bad_handle("port 0");
  const std::size_t bytes = address.ip.family == IpFamily::ipv4 ? 4 : 16;
  std::copy_n(&handle[kAddressesAt + 16 * i], bytes, address.ip.bytes.begin());
  return address;
}

}  // namespace

Handle encode_handle(const ListenerName& name) {
  Handle handle{};
  store_le<std::uint32_t>(&handle[kHandleMagicAt], kHandleMagic);
  store_le<std::uint16_t>(&handle[kHandleVersionAt], kHandleVersion);
  store_le<std::uint8_t>(&handle[kFamilyAt],
                         static_cast<std::uint8_t>(name.addresses.front().ip.family));
  store_le<std::uint8_t>(&handle[kCountAt], static_cast<std::uint8_t>(name.addresses.size()));
  for (std::size_t i = 0; i < name.addresses.size(); ++i) {
    const SocketAddress& address = name.addresses[i];
    store_le<std::uint16_t>(&handle[kPortsAt + 2 * i], address.port);
    std::copy(address.ip.bytes.begin(), address.ip.bytes.end(), &handle[kAddressesAt + 16 * i]);
  }
  std::copy(name.nonce.begin(), name.nonce.end(), &handle[kNonceAt]);
  return handle;
}

Result<ListenerName> decode_handle(const Handle& handle) {
  HAWSER_TRY(check_form(handle));
  ListenerName name;
  for (std::size_t i = 0; i < load_le<std::uint8_t>(&handle[kCountAt]); ++i) {
    HAWSER_ASSIGN(const SocketAddress address, decode_address(handle, i));
    name.addresses.push_back(address);
  }
  std::copy_n(&handle[kNonceAt], kNonceBytes, name.nonce.begin());
  // What a decoded handle says must be all that it holds: nothing in the reserved bytes, nothing
  // behind an IPv4 address or the last one.
  if (encode_handle(name) != handle) return bad_handle("reserved bytes are not zero");
  return name;
}

}  // namespace hawser::tcp
