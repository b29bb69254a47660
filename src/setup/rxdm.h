// The sockets of GPUDirect-TCPX's receive manager (RxDM, tcpgpudmarxd).
#pragma once

#include <string>
#include <vector>

namespace hawser {

// Those that the plugin connects to, below the folder of NCCL_GPUDIRECTTCPX_UNIX_CLIENT_PREFIX:
// where the flow rules are, and where the GPU's receive memory is. `gpu_bus_id` ("0000:04:00.0")
// empty: the former only. "rxdm_application_registry" is left out: the manager ends when its
// clients there do.
std::vector<std::string> rxdm_sockets(const std::string& folder, const std::string& gpu_bus_id);

// What is wrong with a unix socket that should accept connections; empty: nothing. Connects, says
// nothing, and closes. Never waits.
std::string unix_socket_problem(const std::string& path);

}  // namespace hawser
