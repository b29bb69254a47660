#include "net/tcp/flow_listener.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "base/socket.h"

namespace hawser::tcp {
namespace {

// The greeting is shorter than any send buffer: a fresh socket takes it at once.
bool write_greeting(int fd, const Greeting& greeting) {
  return sockets::send_some(fd, greeting).bytes == greeting.size();
}

}  // namespace

Result<std::unique_ptr<FlowListener>> FlowListener::open(Device& device,
                                                         const std::optional<IpAddress>& address) {
  ListenerName name;
  HAWSER_ASSIGN(name.nonce, make_nonce());
  std::unique_ptr<FlowListener> listener(new FlowListener(device, name.nonce));
  for (const Path& path : device.paths()) {
    const IpAddress& wanted = address && path.has(*address) ? *address : path.address();
    HAWSER_ASSIGN(SocketAddress at, device.door.open(device.name, wanted, device.socket));
    if (listener->text_.empty()) listener->text_ = fmt::format("{}, {}", device.name, at.text());
    if (path.advertised) at.ip = *path.advertised;
    name.addresses.push_back(at);
  }
  listener->handle_ = encode_handle(name);
  return listener;
}

// Expected before the door is opened, or it might be closed again.
FlowListener::FlowListener(Device& device, const Nonce& nonce)
    : device_(device), nonce_(nonce), awaited_(kMaxFlows) {
  device_.door.expect(nonce_);
}

FlowListener::~FlowListener() {
  device_.door.forget(nonce_);
}

void FlowListener::await(unsigned first, unsigned count) {
  awaited_.assign(kMaxFlows, false);
  std::fill_n(awaited_.begin() + first, count, true);
  awaited_count_ = count;
}

Result<std::optional<FlowListener::AcceptedFlow>> FlowListener::next() {
  while (true) {
    HAWSER_ASSIGN(std::optional<Door::Guest> guest, device_.door.next(nonce_));
    if (!guest) return std::optional<AcceptedFlow>();
    auto accepted = welcome(*guest);
    if (accepted.ok()) return std::optional(std::move(*accepted));
    // It may have ended the whole while further flows were being made.
    log_info("data listener {}: dropped a connection from {}: {}", text_, guest->from,
             accepted.error().message());
  }
}

Result<FlowListener::AcceptedFlow> FlowListener::welcome(Door::Guest& guest) {
  HAWSER_ASSIGN(const FrameHeader hello,
                decode_header(std::span(guest.greeting).first<kHeaderBytes>()));
  if (!awaited_[hello.sequence])
    return Error(Code::protocol,
                 fmt::format("it is flow {}, which is not awaited", hello.sequence));
  AcceptedFlow accepted;
  accepted.flow = hello.sequence;
  const unsigned wished = std::min(static_cast<unsigned>(hello.total), device_.flows);
  if (accepted.flow == 0) accepted.grant = device_.further->grant(wished);
  if (!write_greeting(guest.fd.get(),
                      encode_greeting(FrameType::welcome, nonce_, accepted.flow,
                                      accepted.flow == 0 ? accepted.grant.flows : wished)))
    return Error(Code::peer, "it went before it was welcomed");
  HAWSER_ASSIGN(accepted.connection, Connection::of(std::move(guest.fd), device_));
  awaited_[accepted.flow] = false;
  --awaited_count_;
  return accepted;
}

}  // namespace hawser::tcp
