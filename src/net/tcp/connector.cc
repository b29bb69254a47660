#include "net/tcp/connector.h"

#include "net/tcp/receive_comm.h"
#include "net/tcp/send_comm.h"

namespace hawser::tcp {

Result<std::unique_ptr<TcpConnector>> TcpConnector::start(Device& device, const Handle& handle,
                                                          const Origin& origin) {
  HAWSER_ASSIGN(ListenerName listener, decode_handle(handle));
  HAWSER_ASSIGN(FlowConnector first,
                FlowConnector::start(device, listener, 0, device.flows, origin));
  return std::unique_ptr<TcpConnector>(new TcpConnector(std::move(listener), std::move(first)));
}

Result<std::unique_ptr<SendComm>> TcpConnector::try_connect() {
  if (done_)
    return Error(Code::invalid_argument, "this connector has made its one connection, or failed");
  auto joined = first_.step();
  done_ = !joined.ok() || joined->has_value();
  if (!joined.ok()) return joined.error();
  if (!*joined) return std::unique_ptr<SendComm>();
  return std::unique_ptr<SendComm>(
      std::make_unique<TcpSendComm>(std::move((*joined)->connection), listener_, (*joined)->flows));
}

Result<std::unique_ptr<TcpReceiveConnector>> TcpReceiveConnector::start(Device& device,
                                                                        const Handle& handle,
                                                                        const Origin& origin) {
  HAWSER_ASSIGN(const ListenerName listener, decode_handle(handle));
  HAWSER_ASSIGN(FlowConnector only, FlowConnector::start(device, listener, 0, 1, origin));
  return std::unique_ptr<TcpReceiveConnector>(new TcpReceiveConnector(std::move(only)));
}

Result<std::unique_ptr<ReceiveComm>> TcpReceiveConnector::try_connect() {
  if (done_)
    return Error(Code::invalid_argument, "this connector has made its one connection, or failed");
  auto joined = only_.step();
  done_ = !joined.ok() || joined->has_value();
  if (!joined.ok()) return joined.error();
  if (!*joined) return std::unique_ptr<ReceiveComm>();
  return std::unique_ptr<ReceiveComm>(std::make_unique<TcpReceiveComm>(
      std::move((*joined)->connection), nullptr, FurtherSockets::Grant{}));
}

}  // namespace hawser::tcp
