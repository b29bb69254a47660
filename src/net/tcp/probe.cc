#include "net/tcp/probe.h"

#include "base/socket.h"
#include "machine/routes.h"
#include "net/tcp/flow_connector.h"

namespace hawser::tcp {

std::unique_ptr<TcpProbe> TcpProbe::start(Device& device, const std::optional<IpAddress>& from,
                                          const SocketAddress& to) {
  auto probe = std::make_unique<TcpProbe>();
  const Path path = device.path_of(0);
  if (path.bound && !sockets::stays_here(to.ip) &&
      !has_route(path.source_for(to.ip, from), to.ip, path.interface_index))
    return probe;
  auto connecting = begin_connecting(device, 0, to, {from, false});
  if (connecting.ok()) probe->fd_ = std::move(connecting->fd);
  return probe;
}

std::optional<bool> TcpProbe::reached() {
  if (!fd_.valid()) return reached_;
  const std::optional<int> connected = sockets::connect_outcome(fd_.get());
  if (!connected) return std::nullopt;
  reached_ = *connected == 0;
  fd_.reset();
  return reached_;
}

}  // namespace hawser::tcp
