#include <fmt/core.h>

#include "bootstrap/rendezvous.h"

namespace hawser {

Result<std::uint16_t> channel_port(int base, int gpu, int channel) {
  constexpr std::int64_t kLastPort = 65535;
  const std::int64_t port = std::int64_t{base} + std::int64_t{gpu} * kPortsPerGpu + channel;
  if (base < 1 || gpu < 0 || channel < 0 || port > kLastPort)
    return Error(
        Code::invalid_argument,
        fmt::format("port base {}, gpu {}, channel {} give port {}: want a base from 1 on, "
                    "and base + gpu * {} + channel of at most {}",
                    base, gpu, channel, port, kPortsPerGpu, kLastPort));
  return static_cast<std::uint16_t>(port);
}

}  // namespace hawser
