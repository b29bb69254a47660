#include "net/tcp/flow_connector.h"

#include <fmt/core.h>

#include "base/socket.h"
#include "net/tcp/data_socket.h"

namespace hawser::tcp {

Result<FlowConnector> FlowConnector::start(Device& device, const ListenerName& listener,
                                           unsigned flow, unsigned flows) {
  SocketAddress target = listener.addresses[flow % listener.addresses.size()];
  const Path& path = device.path_of(flow);
  // A link-local address means something only together with an interface: this side's.
  if (target.ip.link_local()) target.ip.scope = path.interface_index;
  HAWSER_ASSIGN(UniqueFd fd, open_data_socket(device.family(), device.socket));
  if (const int err = sockets::bind_source(fd.get(), path.address); err != 0)
    return system_error(err, fmt::format("binding a data socket to {}", path.address.text()))
        .within("device " + device.name);
  if (const int err = sockets::start_connect(fd.get(), target); err != 0)
    return sockets::io_error(
               err, fmt::format("connecting from {} to {}", path.address.text(), target.text()))
        .within("device " + device.name);
  return FlowConnector(device, std::move(fd), target,
                       encode_greeting(FrameType::hello, listener.nonce, flow, flows),
                       listener.nonce);
}

Result<std::optional<FlowConnector::Joined>> FlowConnector::step() {
  using Outcome = std::optional<Joined>;
  if (stage_ == Stage::connecting) {
    auto connected = finish_connecting();
    if (!connected.ok()) return failed(connected.error());
    if (!*connected) return Outcome();
    stage_ = Stage::greeted;
  }
  auto welcomed = read_welcome();
  if (!welcomed.ok()) return failed(welcomed.error());
  if (!*welcomed) return Outcome();
  auto joined = take_welcome();
  if (!joined.ok()) return failed(joined.error());
  return joined;
}

// Once connected, says hello: a fresh socket takes it at once.
Result<bool> FlowConnector::finish_connecting() {
  const std::optional<int> connected = sockets::connect_outcome(fd_.get());
  if (!connected) return false;
  if (*connected != 0)
    return sockets::io_error(*connected, fmt::format("connecting to {}", target_.text()));
  const sockets::Transfer wrote = sockets::send_some(fd_.get(), hello_);
  if (wrote.bytes == hello_.size()) return true;
  if (wrote.err != 0) return sockets::io_error(wrote.err, "saying hello");
  return Error(Code::system, "saying hello: the new socket did not take it");
}

Result<bool> FlowConnector::read_welcome() {
  const sockets::Transfer got =
      sockets::receive_some(fd_.get(), std::span(welcome_).subspan(have_));
  have_ += got.bytes;
  HAWSER_TRY(check_greeting(std::span(welcome_).first(have_), FrameType::welcome, nonce_));
  if (have_ == kGreetingBytes) return true;
  switch (got.state) {
    case sockets::Transfer::State::failed:
      return sockets::io_error(got.err, "waiting for the welcome");
    case sockets::Transfer::State::closed:
      return Error(Code::peer,
                   "the listener closed the connection instead of a welcome: it has another peer "
                   "already, or gave up");
    default:
      return false;
  }
}

Result<std::optional<FlowConnector::Joined>> FlowConnector::take_welcome() {
  HAWSER_ASSIGN(const FrameHeader header, decode_header(std::span(welcome_).first<kHeaderBytes>()));
  HAWSER_ASSIGN(const FrameHeader hello, decode_header(std::span(hello_).first<kHeaderBytes>()));
  if (header.sequence != hello.sequence || header.total > hello.total)
    return Error(Code::protocol, "the answer to the hello is no welcome");
  HAWSER_ASSIGN(Connection connection, Connection::of(std::move(fd_), *device_));
  return std::optional(Joined{std::move(connection), static_cast<unsigned>(header.total)});
}

Error FlowConnector::failed(const Error& why) const {
  return why.within(fmt::format("device {}, connecting to {}", device_->name, target_.text()));
}

}  // namespace hawser::tcp
