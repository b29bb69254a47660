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
  static Result<std::unique_ptr<TcpListener>> open(
      Device& device, const std::optional<IpAddress>& address = std::nullopt);

  const Handle& handle() const override { return handle_; }
  Result<std::unique_ptr<ReceiveComm>> try_accept() override;
  std::string text() const override { return text_; }

 private:
  explicit TcpListener(std::unique_ptr<FlowListener> flow_listener);

  std::unique_ptr<FlowListener>
      flow_listener_;  // null after the accept: the comm has it, or nobody
  const Handle handle_;
  const std::string text_;
};

// Likewise, for a TcpReceiveConnector: over one flow this side sends.
class TcpSendListener final : public SendListener {
 public:
  static Result<std::unique_ptr<TcpSendListener>> open(
      Device& device, const std::optional<IpAddress>& address = std::nullopt);

  const Handle& handle() const override { return flow_listener_->handle(); }
  Result<std::unique_ptr<SendComm>> try_accept() override;
  std::string text() const override { return flow_listener_->text(); }

 private:
  explicit TcpSendListener(std::unique_ptr<FlowListener> flow_listener)
      : flow_listener_(std::move(flow_listener)) {}

  const std::unique_ptr<FlowListener> flow_listener_;
  bool done_ = false;
};

}  // namespace hawser::tcp
