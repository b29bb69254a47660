// Makes one flow of a connection: a socket to a listener whose handle is known.
#pragma once

#include <optional>
#include <string>

#include "base/fd.h"
#include "net/tcp/connection.h"
#include "net/tcp/frame.h"
#include "net/tcp/handle.h"

namespace hawser::tcp {

// From one of the device's addresses; says hello and waits for the welcome. It has no deadline of
// its own beyond the kernel's. Not thread-safe.
class FlowConnector {
 public:
  // `flow` is this one's number, and `flows` how many the connection may have, as far as this side
  // is concerned.
  static Result<FlowConnector> start(Device& device, const ListenerName& listener, unsigned flow,
                                     unsigned flows);

  int fd() const { return fd_.get(); }

  struct Joined {
    Connection connection;
    unsigned flows = 1;  // granted
  };
  // Empty: not yet, call again. After success or an error: never again. Never blocks.
  Result<std::optional<Joined>> step();

 private:
  enum class Stage { connecting, greeted };

  FlowConnector(Device& device, UniqueFd fd, const SocketAddress& target, Greeting hello,
                const Nonce& nonce)
      : device_(&device), fd_(std::move(fd)), target_(target), hello_(hello), nonce_(nonce) {}
  Result<bool> finish_connecting();
  Result<bool> read_welcome();
  Result<std::optional<Joined>> take_welcome();
  Error failed(const Error& why) const;

  Device* device_;
  UniqueFd fd_;
  SocketAddress target_;
  Greeting hello_;
  Nonce nonce_;
  Stage stage_ = Stage::connecting;
  Greeting welcome_{};
  std::size_t have_ = 0;
};

}  // namespace hawser::tcp
