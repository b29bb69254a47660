// Looking at the machine and its environment for the checks of a GPUDirect-TCPX set-up.
#pragma once

#include <string>

#include "setup/tcpx_setup.h"

namespace hawser {

// Sets NCCL_NSOCKS_PERTHREAD=2 and NCCL_SOCKET_NTHREADS=1 in the environment where both are unset;
// docs/tcpx.md says why. Before the plugin's init, which reads them.
void set_tcpx_defaults();

// What follows " ver. " after the product's name in the library: "3.1.9". Empty: nothing does.
std::string version_in_library(const std::string& file);

// All but the GPU, the wanted chunk and the peer, which are the caller's to know.
TcpxSetup gather_tcpx_setup(const PluginFound& plugin);

// Resolves the name, so it may take as long as the machine's resolver lets it. A name that cannot
// be resolved has no addresses: whoever connects will say so.
void set_peer(TcpxSetup& setup, const std::string& peer);

// Before a connection: the error where a real plugin's peer is this machine.
Status refuse_same_host(const std::string& plugin_name, const std::string& peer);

}  // namespace hawser
