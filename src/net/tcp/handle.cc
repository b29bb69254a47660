#include "net/tcp/handle.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/codec.h"

namespace hawser::tcp {
namespace {

// What a handle holds; what follows is reserved and zero.
struct HandleFields {
  std::uint32_t magic = kHandleMagic;
  std::uint16_t version = kHandleVersion;
  std::uint8_t family = 0;
  std::uint8_t count = 0;
  std::array<std::uint16_t, kMaxPaths> ports{};
  Nonce nonce{};
  std::array<std::array<std::byte, 16>, kMaxPaths> addresses{};
};

constexpr void fields(auto& io, codec::Of<HandleFields> auto& handle) {
  io.number("magic", handle.magic);
  io.number("version", handle.version);
  io.number("family", handle.family);
  io.number("count", handle.count);
  for (auto& port : handle.ports) io.number("port", port);
  io.array("nonce", handle.nonce);
  for (auto& address : handle.addresses) io.array("address", address);
  io.template zeros<kHandleBytes - 32 - 16 * kMaxPaths>();
}
static_assert(HAWSER_CODEC_BYTES(HandleFields) == kHandleBytes);

Error bad_handle(std::string why) {
  return Error(Code::protocol, "the peer's handle is not one of hawser TCP: " + why);
}

Status check_form(const HandleFields& handle) {
  if (handle.magic != kHandleMagic)
    return bad_handle("wrong magic; do both sides use the same transport?");
  if (handle.version != kHandleVersion)
    return bad_handle(
        fmt::format("version {}, and this side knows {}", handle.version, kHandleVersion));
  if (handle.family != 4 && handle.family != 6)
    return bad_handle(fmt::format("address family {}", handle.family));
  if (handle.count < 1 || handle.count > kMaxPaths)
    return bad_handle(fmt::format("{} addresses", handle.count));
  return {};
}

Result<SocketAddress> address_of(const HandleFields& handle, std::size_t i) {
  SocketAddress address;
  address.ip.family = static_cast<IpFamily>(handle.family);
  address.port = handle.ports[i];
  if (address.port == 0) return bad_handle("port 0");
  const std::size_t bytes = address.ip.family == IpFamily::ipv4 ? 4 : 16;
  std::copy_n(handle.addresses[i].begin(), bytes, address.ip.bytes.begin());
  return address;
}

}  // namespace

Handle encode_handle(const ListenerName& name) {
  HandleFields said;
  said.family = static_cast<std::uint8_t>(name.addresses.front().ip.family);
  said.count = static_cast<std::uint8_t>(name.addresses.size());
  for (std::size_t i = 0; i < name.addresses.size(); ++i) {
    const SocketAddress& address = name.addresses[i];
    said.ports[i] = address.port;
    std::copy(address.ip.bytes.begin(), address.ip.bytes.end(), said.addresses[i].begin());
  }
  said.nonce = name.nonce;
  Handle handle;
  codec::Encoder out(handle.data());
  fields(out, std::as_const(said));
  return handle;
}

Result<ListenerName> decode_handle(const Handle& handle) {
  HandleFields said;
  codec::Decoder in("handle", handle);
  fields(in, said);
  HAWSER_TRY(check_form(said));
  ListenerName name;
  for (std::size_t i = 0; i < said.count; ++i) {
    HAWSER_ASSIGN(const SocketAddress address, address_of(said, i));
    name.addresses.push_back(address);
  }
  name.nonce = said.nonce;
  // What a decoded handle says must be all that it holds: nothing in the reserved bytes, nothing
  // behind an IPv4 address or the last one.
  if (encode_handle(name) != handle) return bad_handle("reserved bytes are not zero");
  return name;
}

}  // namespace hawser::tcp
