#include "conformance/nets.h"

#include "tcp/tcp_net.h"

namespace hawser::test {
namespace {

Result<std::unique_ptr<Net>> tcp_on_loopback(FamilyChoice family, int socket_buffer_bytes = 0) {
  TcpOptions options;
  options.interfaces.names = "=lo";
  options.interfaces.family = family;
  options.socket_buffer_bytes = socket_buffer_bytes;
  return make_tcp_net(options);
}

}  // namespace

const std::vector<NetUnderTest>& nets_under_test() {
  static const std::vector<NetUnderTest> nets = {
      {.name = "tcp", .make = [] { return tcp_on_loopback(FamilyChoice::ipv4); }},
      {.name = "tcp_ipv6",
       .make = [] { return tcp_on_loopback(FamilyChoice::ipv6); },
       .optional = true},
      {.name = "tcp_small_buffers",
       .make = [] { return tcp_on_loopback(FamilyChoice::ipv4, 4096); }},
  };
  return nets;
}

}  // namespace hawser::test
