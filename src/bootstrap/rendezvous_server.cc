#include <fmt/core.h>
#include <poll.h>

#include <cerrno>
#include <chrono>
#include <optional>

#include "base/event_fd.h"
#include "base/socket.h"
#include "bootstrap/held_ports.h"
#include "bootstrap/rendezvous.h"
#include "control/listener.h"

namespace hawser {
namespace {

// One call of accept().
class Serving {
 public:
  Serving(const std::string& address, const RendezvousServer::Decide& decide)
      : address_(address), decide_(decide) {}

  // As control::Listener wants it.
  Status decide(std::unique_ptr<control::Line>& line, std::span<const std::byte> frame,
                int channel);
  std::optional<Rendezvous>& served() { return served_; }

  static constexpr const char* kBusy = "another client is being served";

 private:
  const std::string& address_;
  const RendezvousServer::Decide& decide_;
  std::optional<Rendezvous> served_;
};

Status Serving::decide(std::unique_ptr<control::Line>& line, std::span<const std::byte> frame,
                       int channel) {
  if (served_) return Error(Code::peer, kBusy);
  HAWSER_ASSIGN(const wire::Message message, wire::decode_frame(frame));
  const auto* const hello = std::get_if<wire::Hello>(&message);
  if (hello == nullptr)
    return Error(Code::protocol,
                 fmt::format("a {} where a Hello belongs", wire::message_name(message)));
  if (channel != 0)
    return Error(Code::peer,
                 fmt::format("this port is held for channel {}; the control connection belongs on "
                             "{}: check --port-base and the gpu",
                             channel, address_));
  HAWSER_ASSIGN(wire::Plan plan, decide_(*hello));
  // A connection that has carried nothing yet takes a frame at once, or is broken.
  if (!line->send(wire::encode(plan)) || line->wants_to_write())
    return Error(Code::peer, "would not take the Plan");
  served_ = Rendezvous{std::move(line), *hello, std::move(plan)};
  return {};
}

Error nobody_came(const std::string& address, const Deadline& deadline, std::uint64_t refused) {
  const auto seconds = std::chrono::duration<double>(deadline.timeout()).count();
  return Error(Code::timeout,
               fmt::format("no client came to {} within {} s (refused {} other connections); is it "
                           "started, with this address, --port-base and gpu?",
                           address, seconds, refused));
}

}  // namespace

struct RendezvousServer::Impl {
  Impl(std::vector<control::Listener::Port> ports, EventFd event, std::string where)
      : listener(std::move(ports), wire::protocol(), {where, LogLevel::warning}),
        stop_event(std::move(event)),
        address(std::move(where)) {}

  control::Listener listener;
  const EventFd stop_event;
  const std::string address;
};

RendezvousServer::RendezvousServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RendezvousServer::~RendezvousServer() = default;

Result<std::unique_ptr<RendezvousServer>> RendezvousServer::listen(const std::string& bind_address,
                                                                   int port_base, int gpu,
                                                                   int channels) {
  HAWSER_ASSIGN(const std::uint16_t port, channel_port(port_base, gpu, 0));
  HAWSER_ASSIGN(auto ports, hold_ports(bind_address, port_base, gpu, channels));
  HAWSER_ASSIGN(EventFd stop_event, EventFd::make());
  return std::unique_ptr<RendezvousServer>(new RendezvousServer(std::make_unique<Impl>(
      std::move(ports), std::move(stop_event), sockets::host_and_port(bind_address, port))));
}

Result<Rendezvous> RendezvousServer::accept(const Decide& decide, Deadline deadline) {
  control::Listener& listener = impl_->listener;
  if (!listener.open())
    return Error(Code::invalid_argument,
                 fmt::format("{} has served its client; listen anew", impl_->address));
  Serving serving(impl_->address, decide);
  std::vector<pollfd> polled;
  while (true) {
    polled.assign(1, {impl_->stop_event.fd(), POLLIN, 0});
    listener.interests(polled);
    const int timeout_ms = listener.timeout_ms(deadline.poll_timeout_ms(sockets::kLongestPollMs));
    if (::poll(polled.data(), polled.size(), timeout_ms) < 0 && errno != EINTR)
      return system_error(errno, "poll while waiting for a client");
    if (polled.front().revents != 0)
      return Error(Code::cancelled, "waiting for a client was stopped");
    listener.poll([&](std::unique_ptr<control::Line>& line, std::span<const std::byte> frame,
                      int channel) { return serving.decide(line, frame, channel); });
    if (serving.served()) {
      listener.close(Serving::kBusy);
      return std::move(*serving.served());
    }
    if (deadline.expired()) return nobody_came(impl_->address, deadline, listener.refused());
  }
}

void RendezvousServer::stop() {
  impl_->stop_event.notify();
}

const std::string& RendezvousServer::address() const {
  return impl_->address;
}

}  // namespace hawser
