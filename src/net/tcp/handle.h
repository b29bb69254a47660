// The handle of a listener of ours: where it listens, and the nonce that proves having been told.
#pragma once

#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "net/net.h"
#include "net/tcp/frame.h"

namespace hawser::tcp {

inline constexpr std::uint32_t kHandleMagic = 0x48545748;  // "HWTH" in the order of the bytes
inline constexpr std::uint16_t kHandleVersion = 2;
inline constexpr std::size_t kMaxPaths = 4;  // as many addresses as a handle has room for

struct ListenerName {
  // One for each interface of the device, 1 to kMaxPaths, all of one family; without scopes: those
  // are local to each machine.
  std::vector<SocketAddress> addresses;
  Nonce nonce{};
};

Handle encode_handle(const ListenerName& name);

// Code::protocol unless it is a handle of this transport, whole and of this version.
Result<ListenerName> decode_handle(const Handle& handle);

}  // namespace hawser::tcp
