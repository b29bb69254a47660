// Plain sockets in place of either end of a data connection, for what no correct peer does.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "net/net.h"
#include "net/tcp/frame.h"
#include "net/tcp/handle.h"

namespace hawser::test {

using Bytes = std::vector<std::byte>;

// Header, data and trailer; `data` may be shorter than the header announces.
Bytes frame(const tcp::FrameHeader& header, std::span<const std::byte> data = {});
// A piece whose data is the part of the pattern of `seed` that belongs there.
Bytes piece(std::uint32_t sequence, std::uint64_t total, std::uint64_t offset, std::uint64_t bytes,
            std::uint64_t seed = 1);
Bytes whole_message(std::uint32_t sequence, std::uint64_t bytes, std::uint64_t seed = 1);

// All of it; false: the other side is gone.
bool say(const UniqueFd& fd, std::span<const std::byte> bytes);
// Until `bytes` are full; false: the end came first, or nothing for 20 s.
bool hear(const UniqueFd& fd, std::span<std::byte> bytes);
// What is there now, and does not go by being looked at.
std::size_t waiting_bytes(const UniqueFd& fd);
// Whether the other side has closed or reset it.
bool has_ended(const UniqueFd& fd);

// A sender: its flows, to a listener of ours.
class RawSender {
 public:
  explicit RawSender(const Handle& handle);

  // Connects, and says nothing.
  UniqueFd knock() const;
  // Connects as that flow and says hello; the welcome has not been read.
  UniqueFd hello(unsigned flow, unsigned flows) const;
  bool welcomed(const UniqueFd& fd, unsigned flow) const;
  const tcp::Nonce& nonce() const { return name_.nonce; }

 private:
  tcp::ListenerName name_;
};

// A receiver: a listening socket on 127.0.0.1 and its handle.
class RawReceiver {
 public:
  RawReceiver();

  Handle handle() const { return tcp::encode_handle(name_); }
  // The next connection, once it has said hello. Blocks: somebody has connected.
  UniqueFd accept() const;
  // Reads the hello, which must be that of `flow`.
  bool greeted(const UniqueFd& fd, unsigned flow) const;
  void welcome(const UniqueFd& fd, unsigned flow, unsigned flows) const;
  void close() { listening_.reset(); }

 private:
  UniqueFd listening_;
  tcp::ListenerName name_;
};

// A comm of ours whose peer is the raw one; `flows` are what the raw one wishes for, or grants. The
// first flow is connected and greeted. nullptr, and a test failure, where it does not come about.
std::unique_ptr<ReceiveComm> receive_from(const RawSender& raw, Listener& listener, unsigned flows,
                                          UniqueFd& first);
std::unique_ptr<SendComm> send_to(const RawReceiver& raw, Net& net, unsigned flows,
                                  UniqueFd& first);

}  // namespace hawser::test
