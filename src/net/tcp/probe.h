// Whether there is a way from a device to a port of a peer's.
#pragma once

#include <memory>
#include <optional>

#include "net/net.h"
#include "net/tcp/device.h"

namespace hawser::tcp {

// A connection that is begun as a data connection is, and says nothing. Not thread-safe.
class TcpProbe final : public Probe {
 public:
  static std::unique_ptr<TcpProbe> start(Device& device, const std::optional<IpAddress>& from,
                                         const SocketAddress& to);
  std::optional<bool> reached() override;

 private:
  UniqueFd fd_;  // none: it has been found out
  bool reached_ = false;
};

}  // namespace hawser::tcp
