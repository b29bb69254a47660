#include "net/tcp/flow_connector.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "base/socket.h"
#include "net/tcp/data_socket.h"

namespace hawser::tcp {

namespace {

Status set_up(int fd, const Path& path, const IpAddress& source, const IpAddress& target,
              bool small_packets) {
  if (small_packets)
    HAWSER_TRY(sockets::set_option(fd, IPPROTO_TCP, TCP_MAXSEG, kSmallSegmentBytes, "TCP_MAXSEG"));
  // What stays on this machine takes no interface but loopback.
  if (path.bound && !sockets::stays_here(target))
    if (const int err = sockets::bind_to_device(fd, path.name); err != 0)
      return sockets::binding_error(err, "binding a data socket to " + path.name);
  if (const int err = sockets::bind_source(fd, source); err != 0)
    return sockets::binding_error(err, "binding a data socket to " + source.text());
  return {};
}

}  // namespace

Result<Connecting> begin_connecting(Device& device, unsigned flow, SocketAddress target,
                                    const Origin& origin) {
  const Path path = device.path_of(flow);
  // A link-local address means something only together with an interface: this side's.
  if (target.ip.link_local()) target.ip.scope = path.interface_index;
  const IpAddress& source = path.source_for(target.ip, origin.address);
  const std::string text = fmt::format("{}, {} to {}", device.name, source.text(), target.text());
  if (source.family != target.ip.family)
    return Error(
        Code::invalid_argument,
        fmt::format("connecting over {}: an {} address here and an {} one there: choose "
                    "one family on both sides with HAWSER_SOCKET_FAMILY",
                    text, ip_family_name(source.family), ip_family_name(target.ip.family)));
  HAWSER_ASSIGN(UniqueFd fd, open_data_socket(source.family, device.socket));
  const Status ready = set_up(fd.get(), path, source, target.ip, origin.small_packets);
  if (!ready.ok()) return ready.error().within("device " + device.name);
  if (const int err = sockets::start_connect(fd.get(), target); err != 0)
    return sockets::connecting_error(err, "connecting over " + text);
  return Connecting{std::move(fd), text};
}

Result<FlowConnector> FlowConnector::start(Device& device, const ListenerName& listener,
                                           unsigned flow, unsigned flows, const Origin& origin) {
  HAWSER_ASSIGN(
      Connecting connecting,
      begin_connecting(device, flow, listener.addresses[flow % listener.addresses.size()], origin));
  return FlowConnector(device, std::move(connecting),
                       encode_greeting(FrameType::hello, listener.nonce, flow, flows),
                       listener.nonce);
}

Result<std::optional<FlowConnector::Joined>> FlowConnector::step() {
  using Outcome = std::optional<Joined>;
  if (stage_ == Stage::connecting) {
    auto connected = finish_connecting();
    if (!connected.ok()) return connected.error();
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
  if (*connected != 0) return sockets::connecting_error(*connected, "connecting over " + text_);
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
  return why.within("connected over " + text_);
}

}  // namespace hawser::tcp
