// Makes one flow of a connection: a socket to a listener whose handle is known.
#pragma once

#include <optional>
#include <string>

#include "base/fd.h"
#include "net/tcp/connection.h"
#include "net/tcp/frame.h"
#include "net/tcp/handle.h"

namespace hawser::tcp {

// How a connection is to leave its device.
struct Origin {
  std::optional<IpAddress> address;  // one of the device's; none: the one nearest to the target
  bool small_packets = false;
};

// A socket that is on its way from a device to a target.
struct Connecting {
  UniqueFd fd;
  std::string text;  // "eth1, 192.0.2.9 to 192.0.2.7:4000"
};
Result<Connecting> begin_connecting(Device& device, unsigned flow, SocketAddress target,
                                    const Origin& origin);

// From one of the device's addresses, and by its interface whatever the routes say; says hello and
// waits for the welcome. It has no deadline of its own beyond the kernel's. Not thread-safe.
class FlowConnector {
 public:
  // `flow` is this one's number, and `flows` how many the connection may have, as far as this side
  // is concerned.
  static Result<FlowConnector> start(Device& device, const ListenerName& listener, unsigned flow,
                                     unsigned flows, const Origin& origin = {});

  int fd() const { return fd_.get(); }
  // "eth1, 192.0.2.9 to 192.0.2.7:4000"
  const std::string& text() const { return text_; }

  struct Joined {
    Connection connection;
    unsigned flows = 1;  // granted
  };
  // Empty: not yet, call again. After success or an error: never again. Never blocks.
  Result<std::optional<Joined>> step();

 private:
  enum class Stage { connecting, greeted };

  FlowConnector(Device& device, Connecting connecting, Greeting hello, const Nonce& nonce)
      : device_(&device),
        fd_(std::move(connecting.fd)),
        text_(std::move(connecting.text)),
        hello_(hello),
        nonce_(nonce) {}
  Result<bool> finish_connecting();
  Result<bool> read_welcome();
  Result<std::optional<Joined>> take_welcome();
  Error failed(const Error& why) const;

  Device* device_;
  UniqueFd fd_;
  std::string text_;
  Greeting hello_;
  Nonce nonce_;
  Stage stage_ = Stage::connecting;
  Greeting welcome_{};
  std::size_t have_ = 0;
};

}  // namespace hawser::tcp
