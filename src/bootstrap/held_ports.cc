#include "bootstrap/held_ports.h"

#include <fmt/core.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/socket.h"
#include "bootstrap/rendezvous.h"

namespace hawser {
namespace {

using HeldPort = control::Listener::Port;

Error listen_error(int err, const std::string& where, int gpu, int channel) {
  const std::string object = fmt::format("{} (gpu {}, channel {})", where, gpu, channel);
  if (err == EADDRINUSE)
    return Error(Code::system,
                 fmt::format("{} is in use: another hawser server or another program listens there "
                             "(`ss -ltnp` shows which); stop it, or choose another --port-base",
                             object));
  if (err == EADDRNOTAVAIL)
    return Error(Code::system, fmt::format("cannot listen on {}: this machine has no such address "
                                           "(`ip addr` lists those it has)",
                                           object));
  if (err == EACCES)
    return Error(Code::system, fmt::format("may not listen on {}: ports below 1024 need a "
                                           "privilege; choose another --port-base",
                                           object));
  return system_error(err, fmt::format("cannot listen on {}", object));
}

bool lacks_family(int err) {
  return err == EADDRNOTAVAIL || err == EAFNOSUPPORT;
}

// Whether one address of several may be passed over: this machine does not have it.
struct Holding {
  std::optional<HeldPort> port;
  std::optional<Error> error;
  bool passable = false;
};

Holding hold(const SocketAddress& address, int gpu, int channel) {
  Holding out;
  UniqueFd socket = sockets::open_socket(address.ip.family);
  int err = errno;
  if (socket.valid()) err = sockets::listen_on(socket, address);
  if (err == 0) {
    out.port = HeldPort{std::move(socket), channel};
    return out;
  }
  out.error = listen_error(err, address.text(), gpu, channel);
  out.passable = lacks_family(err);
  return out;
}

Status hold_channel(const std::string& bind_address, std::uint16_t port, int gpu, int channel,
                    std::vector<HeldPort>& held) {
  HAWSER_ASSIGN(const auto addresses, sockets::resolve(bind_address, port, sockets::Use::listen));
  const std::size_t before = held.size();
  std::optional<Error> passed_over;
  for (const auto& address : addresses) {
    Holding attempt = hold(address, gpu, channel);
    if (attempt.port) held.push_back(std::move(*attempt.port));
    if (attempt.error && !attempt.passable) return *attempt.error;
    if (attempt.error) passed_over = attempt.error;
  }
  if (held.size() == before && passed_over) return *passed_over;
  return {};
}

}  // namespace

Result<std::vector<HeldPort>> hold_ports(const std::string& bind_address, int port_base, int gpu,
                                         int channels) {
  if (channels < 1 || channels > static_cast<int>(wire::kMaxChannels))
    return Error(Code::invalid_argument,
                 fmt::format("{} channels: want 1 to {}", channels, wire::kMaxChannels));
  std::vector<HeldPort> held;
  for (int channel = 0; channel < std::min(channels, kPortsPerGpu); ++channel) {
    HAWSER_ASSIGN(const std::uint16_t port, channel_port(port_base, gpu, channel));
    HAWSER_TRY(hold_channel(bind_address, port, gpu, channel, held));
  }
  return held;
}

}  // namespace hawser
