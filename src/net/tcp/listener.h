// Waits for the one connection whose hello carries the listener's nonce.
#pragma once

#include <memory>
#include <string>

#include "net/net.h"
#include "net/tcp/flow_listener.h"

namespace hawser::tcp {

// Not thread-safe; different listeners may be used by different threads.
class TcpListener final : public Listener {
 public:
  static Result<std::unique_ptr<TcpListener>> open(Device& device);

  const Handle& handle() const override { return handle_; }
  Result<std::unique_ptr<ReceiveComm>> try_accept() override;

 private:
  explicit TcpListener(std::unique_ptr<FlowListener> flow_listener);

  std::unique_ptr<FlowListener>
      flow_listener_;  // null after the accept: the comm has it, or nobody
  const Handle handle_;
  const std::string text_;
};

}  // namespace hawser::tcp
