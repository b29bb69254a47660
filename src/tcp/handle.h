// The handle of a listener of ours: where it listens, and the nonce that proves having been told.
#pragma once

#include "base/result.h"
#include "net/net.h"
#include "tcp/frame.h"
#include "topology/ip_address.h"

namespace hawser::tcp {

inline constexpr std::uint32_t kHandleMagic = 0x48545748;  // "HWTH" in the order of the bytes
inline constexpr std::uint16_t kHandleVersion = 1;

struct ListenerName {
  SocketAddress address;  // without a scope: that is local to each machine
  Nonce nonce{};
};

Handle encode_handle(const ListenerName& name);

// Code::protocol unless it is a handle of this transport, whole and of this version.
Result<ListenerName> decode_handle(const Handle& handle);

}  // namespace hawser::tcp
