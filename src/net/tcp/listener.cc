#include "net/tcp/listener.h"

#include "net/tcp/receive_comm.h"
#include "net/tcp/send_comm.h"

namespace hawser::tcp {
namespace {

Error served(const std::string& text) {
  return Error(Code::invalid_argument, text + ": it has served its one accept");
}

}  // namespace

Result<std::unique_ptr<TcpListener>> TcpListener::open(Device& device,
                                                       const std::optional<IpAddress>& address) {
  HAWSER_ASSIGN(auto flow_listener, FlowListener::open(device, address));
  flow_listener->await(0, 1);
  return std::unique_ptr<TcpListener>(new TcpListener(std::move(flow_listener)));
}

TcpListener::TcpListener(std::unique_ptr<FlowListener> flow_listener)
    : flow_listener_(std::move(flow_listener)),
      handle_(flow_listener_->handle()),
      text_(flow_listener_->text()) {}

Result<std::unique_ptr<ReceiveComm>> TcpListener::try_accept() {
  if (!flow_listener_) return served(text_);
  HAWSER_ASSIGN(auto accepted, flow_listener_->next());
  if (!accepted) return std::unique_ptr<ReceiveComm>();
  auto flow_listener = std::move(flow_listener_);
  if (accepted->grant.flows == 1) flow_listener.reset();
  return std::unique_ptr<ReceiveComm>(std::make_unique<TcpReceiveComm>(
      std::move(accepted->connection), std::move(flow_listener), std::move(accepted->grant)));
}

Result<std::unique_ptr<TcpSendListener>> TcpSendListener::open(
    Device& device, const std::optional<IpAddress>& address) {
  HAWSER_ASSIGN(auto flow_listener, FlowListener::open(device, address));
  flow_listener->await(0, 1);
  return std::unique_ptr<TcpSendListener>(new TcpSendListener(std::move(flow_listener)));
}

Result<std::unique_ptr<SendComm>> TcpSendListener::try_accept() {
  if (done_) return served(text());
  HAWSER_ASSIGN(auto accepted, flow_listener_->next());
  if (!accepted) return std::unique_ptr<SendComm>();
  done_ = true;
  return std::unique_ptr<SendComm>(
      std::make_unique<TcpSendComm>(std::move(accepted->connection), ListenerName{}, 1));
}

}  // namespace hawser::tcp
