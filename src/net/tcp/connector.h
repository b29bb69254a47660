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
  static Result<std::unique_ptr<TcpConnector>> start(Device& device, const Handle& handle);

  Result<std::unique_ptr<SendComm>> try_connect() override;

 private:
  TcpConnector(Device& device, ListenerName listener, FlowConnector first)
      : device_(device), listener_(std::move(listener)), first_(std::move(first)) {}

  Device& device_;
  const ListenerName listener_;
  FlowConnector first_;
  bool done_ = false;
};

}  // namespace hawser::tcp
