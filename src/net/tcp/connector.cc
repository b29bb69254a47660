#include "net/tcp/connector.h"

#include <fmt/core.h>

#include "net/tcp/send_comm.h"

namespace hawser::tcp {
namespace {

Status check_family(const Device& device, const SocketAddress& target) {
  if (device.family() == target.ip.family) return {};
  return Error(Code::invalid_argument,
               fmt::format("the listener is at the {} address {}, but device {} has the {} address "
                           "{}: choose one family on both sides with HAWSER_SOCKET_FAMILY",
                           ip_family_name(target.ip.family), target.text(), device.name,
                           ip_family_name(device.family()), device.paths.front().address.text()));
}

}  // namespace

Result<std::unique_ptr<TcpConnector>> TcpConnector::start(Device& device, const Handle& handle) {
  HAWSER_ASSIGN(ListenerName listener, decode_handle(handle));
  HAWSER_TRY(check_family(device, listener.addresses.front()));
  HAWSER_ASSIGN(FlowConnector first, FlowConnector::start(device, listener, 0, device.flows));
  return std::unique_ptr<TcpConnector>(
      new TcpConnector(device, std::move(listener), std::move(first)));
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

}  // namespace hawser::tcp
