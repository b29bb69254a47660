// Makes the connection to a listener whose handle is known.
#pragma once

#include <memory>
#include <string>

#include "base/fd.h"
#include "net/net.h"
#include "tcp/device.h"
#include "tcp/frame.h"
#include "tcp/handle.h"

namespace hawser::tcp {

// From the device's address; says hello and waits for the welcome. It has no deadline of its own
// beyond the kernel's. Not thread-safe; different connectors may be used by different threads.
class TcpConnector final : public Connector {
 public:
  // Checks the handle and starts connecting.
  static Result<std::unique_ptr<TcpConnector>> start(Device& device, const Handle& handle);

  Result<std::unique_ptr<SendComm>> try_connect() override;

 private:
  enum class Step { connecting, welcomed, done };

  TcpConnector(Device& device, UniqueFd fd, const ListenerName& listener);
  Result<bool> finish_connecting();
  Result<bool> read_welcome();
  Status check_welcome() const;
  Error failed(const Error& why) const;

  Device& device_;
  UniqueFd fd_;
  ListenerName listener_;
  Step step_ = Step::connecting;
  Greeting welcome_{};
  std::size_t have_ = 0;
};

}  // namespace hawser::tcp
