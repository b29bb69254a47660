#include "net/hosted/exit_explainer.h"
#include "net/hosted/hosting.h"

namespace hawser {

std::vector<std::string> exit_advice(const std::string& plugin) {
  if (tcpx_kind(plugin) == TcpxKind::none)
    return {
        "plugins end the process where they meet what they do not expect: what this one printed "
        "is all there is to go by"};
  return {
      "usual causes: \"rx no cmsg\": no flow rule fits, since NIC and GPU do not belong "
      "together, or the peer is this host; RxDM has gone, or has refused; more than 2047 "
      "fragments in a request",
      "where to look: RxDM's log, 'hawser devices' (which GPU goes with which NIC), and \"When "
      "the plugin ends the process\" in docs/tcpx.md"};
}

}  // namespace hawser
