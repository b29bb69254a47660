// The flows of one connection, as they come in.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/tcp/connection.h"
#include "net/tcp/frame.h"
#include "net/tcp/handle.h"

namespace hawser::tcp {

// Whoever comes to the device's door with its nonce, and names a flow that is awaited, is welcomed.
// Not thread-safe.
class FlowListener {
 public:
  static constexpr std::size_t kMaxCandidates = Door::kMaxCandidates;
  static constexpr Milliseconds kGreetingTimeout = Door::kGreetingTimeout;

  // `address`: which of the device's; none, or one that it has not: its first.
  static Result<std::unique_ptr<FlowListener>> open(
      Device& device, const std::optional<IpAddress>& address = std::nullopt);
  ~FlowListener();
  FlowListener(const FlowListener&) = delete;
  FlowListener& operator=(const FlowListener&) = delete;

  const Handle& handle() const { return handle_; }
  const std::string& text() const { return text_; }  // "eth1, 192.0.2.7:4000"

  // From now on only these flows are awaited: `first` to `first + count - 1`.
  void await(unsigned first, unsigned count);
  unsigned awaited() const { return awaited_count_; }

  // Somebody who was awaited, and has been welcomed. Empty: not yet.
  struct AcceptedFlow {
    Connection connection;
    unsigned flow = 0;
    // Of this connection, at most: the smaller of both sides' wishes, as far as there are sockets.
    FurtherSockets::Grant grant;
  };
  Result<std::optional<AcceptedFlow>> next();

 private:
  FlowListener(Device& device, const Nonce& nonce);
  Result<AcceptedFlow> welcome(Door::Guest& guest);

  Device& device_;
  const Nonce nonce_;
  Handle handle_{};
  std::string text_;
  std::vector<bool> awaited_;  // by flow
  unsigned awaited_count_ = 0;
};

}  // namespace hawser::tcp
