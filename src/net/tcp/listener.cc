#include "net/tcp/listener.h"

#include "net/tcp/receive_comm.h"

namespace hawser::tcp {

Result<std::unique_ptr<TcpListener>> TcpListener::open(Device& device) {
  HAWSER_ASSIGN(auto flow_listener, FlowListener::open(device));
  flow_listener->await(0, 1);
  return std::unique_ptr<TcpListener>(new TcpListener(std::move(flow_listener)));
}

TcpListener::TcpListener(std::unique_ptr<FlowListener> flow_listener)
    : flow_listener_(std::move(flow_listener)),
      handle_(flow_listener_->handle()),
      text_(flow_listener_->text()) {}

Result<std::unique_ptr<ReceiveComm>> TcpListener::try_accept() {
  if (!flow_listener_)
    return Error(Code::invalid_argument, text_ + ": it has served its one accept");
  HAWSER_ASSIGN(auto accepted, flow_listener_->next());
  if (!accepted) return std::unique_ptr<ReceiveComm>();
  auto flow_listener = std::move(flow_listener_);
  if (accepted->flows == 1) flow_listener.reset();
  return std::unique_ptr<ReceiveComm>(std::make_unique<TcpReceiveComm>(
      std::move(accepted->connection), std::move(flow_listener), accepted->flows));
}

}  // namespace hawser::tcp
