// Makes the connection to a listener whose handle is known.
#pragma once

#include <memory>

#include "net/net.h"
#include "net/tcp/flow_connector.h"

namespace hawser::tcp {

// The first flow; the comm makes the others when it has use for them. Not thread-safe; different
// connectors may be used by different threads.
class TcpConnector final : public Connector {
 public:
  // Checks the handle and starts connecting.
  static Result<std::unique_ptr<TcpConnector>> start(Device& device, const Handle& handle,
                                                     const Origin& origin = {});

  Result<std::unique_ptr<SendComm>> try_connect() override;
  std::string text() const override { return first_.text(); }

 private:
  TcpConnector(ListenerName listener, FlowConnector first)
      : listener_(std::move(listener)), first_(std::move(first)) {}

  const ListenerName listener_;
  FlowConnector first_;
  bool done_ = false;
};

// Likewise, to receive from a TcpSendListener over one flow.
class TcpReceiveConnector final : public ReceiveConnector {
 public:
  static Result<std::unique_ptr<TcpReceiveConnector>> start(Device& device, const Handle& handle,
                                                            const Origin& origin = {});

  Result<std::unique_ptr<ReceiveComm>> try_connect() override;
  std::string text() const override { return only_.text(); }

 private:
  explicit TcpReceiveConnector(FlowConnector only) : only_(std::move(only)) {}

  FlowConnector only_;
  bool done_ = false;
};

}  // namespace hawser::tcp
