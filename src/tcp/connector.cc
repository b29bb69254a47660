#include "tcp/connector.h"

#include <fmt/core.h>

#include "tcp/connection.h"
#include "tcp/send_comm.h"
#include "tcp/socket.h"

namespace hawser::tcp {
namespace {

Status check_family(const Device& device, const SocketAddress& target) {
  if (device.address.family == target.ip.family) return {};
  return Error(Code::invalid_argument,
               fmt::format("the listener is at the {} address {}, but device {} has the {} address "
                           "{}: choose one family on both sides with HAWSER_SOCKET_FAMILY",
                           ip_family_name(target.ip.family), target.text(), device.name,
                           ip_family_name(device.address.family), device.address.text()));
}

}  // namespace

Result<std::unique_ptr<TcpConnector>> TcpConnector::start(Device& device, const Handle& handle) {
  HAWSER_ASSIGN(ListenerName listener, decode_handle(handle));
  HAWSER_TRY(check_family(device, listener.address));
  // A link-local address means something only together with an interface: this side's.
  if (listener.address.ip.link_local()) listener.address.ip.scope = device.interface_index;
  HAWSER_ASSIGN(UniqueFd fd, open_socket(device.address.family, device.socket_buffer_bytes));
  const Status started = start_connect(fd.get(), device.address, listener.address);
  if (!started.ok()) return started.error().within("device " + device.name);
  return std::unique_ptr<TcpConnector>(new TcpConnector(device, std::move(fd), listener));
}

TcpConnector::TcpConnector(Device& device, UniqueFd fd, const ListenerName& listener)
    : device_(device), fd_(std::move(fd)), listener_(listener) {}

Result<std::unique_ptr<SendComm>> TcpConnector::try_connect() {
  if (step_ == Step::done)
    return Error(Code::invalid_argument, "this connector has made its one connection, or failed");
  if (step_ == Step::connecting) {
    auto connected = finish_connecting();
    if (!connected.ok()) return failed(connected.error());
    if (!*connected) return std::unique_ptr<SendComm>();
    step_ = Step::welcomed;
  }
  auto welcomed = read_welcome();
  if (!welcomed.ok()) return failed(welcomed.error());
  if (!*welcomed) return std::unique_ptr<SendComm>();
  step_ = Step::done;
  HAWSER_ASSIGN(Connection connection, Connection::of(std::move(fd_), device_));
  return std::unique_ptr<SendComm>(std::make_unique<TcpSendComm>(std::move(connection)));
}

// Once connected, says hello: a fresh socket takes it at once.
Result<bool> TcpConnector::finish_connecting() {
  HAWSER_ASSIGN(const bool connected, connect_finished(fd_.get(), listener_.address));
  if (!connected) return false;
  Greeting hello = encode_greeting(FrameType::hello, listener_.nonce);
  iovec whole{hello.data(), hello.size()};
  const IoResult wrote = write_some(fd_.get(), {&whole, 1});
  if (wrote.bytes == hello.size()) return true;
  if (wrote.state == IoResult::State::failed) return io_error(wrote.error, "saying hello");
  return Error(Code::system, "saying hello: the new socket did not take it");
}

Result<bool> TcpConnector::read_welcome() {
  iovec rest{welcome_.data() + have_, kGreetingBytes - have_};
  const IoResult got = read_some(fd_.get(), {&rest, 1});
  have_ += got.bytes;
  if (have_ == kGreetingBytes) {
    HAWSER_TRY(check_welcome());
    return true;
  }
  switch (got.state) {
    case IoResult::State::failed:
      return io_error(got.error, "waiting for the welcome");
    case IoResult::State::closed:
      return Error(Code::peer,
                   "the listener closed the connection instead of a welcome: it has another peer "
                   "already, or gave up");
    default:
      return false;
  }
}

Status TcpConnector::check_welcome() const {
  HAWSER_ASSIGN(const FrameHeader header, decode_frame(std::span(welcome_).first<kFrameBytes>()));
  if (header.type == FrameType::welcome &&
      welcome_ == encode_greeting(FrameType::welcome, listener_.nonce))
    return {};
  return Error(Code::protocol, "the answer to the hello is no welcome");
}

Error TcpConnector::failed(const Error& why) const {
  return why.within(fmt::format("device {} ({}), connecting to {}", device_.name,
                                device_.address.text(), listener_.address.text()));
}

}  // namespace hawser::tcp
