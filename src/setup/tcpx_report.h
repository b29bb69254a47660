// The checks of a GPUDirect-TCPX set-up, made: gathered, told, and the plugin refused.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gpu/gpu.h"
#include "net/net.h"
#include "setup/tcpx_setup.h"

namespace hawser {

// What only the one who opens the plugin knows.
struct TcpxQuestion {
  std::string gpu_bus_id;              // of the GPU in use; empty: none
  std::size_t wanted_chunk_bytes = 0;  // 0: left open
  std::string peer;                    // empty: none, or not known yet
};

struct TcpxReport {
  TcpxSetup setup;
  std::vector<CheckOutcome> outcomes;
};

// For a plugin whose tcpx_kind() is not none, before its init: sets the defaults in the
// environment, looks, and checks. Warnings are logged, each once in a process. Any error: all
// errors, with their fixes.
Result<TcpxReport> inspect_tcpx(const PluginFound& plugin, const TcpxQuestion& question);

// For PluginOptions::before_init: lets a TCPX plugin be initialised only where its set-up is right,
// and leaves what was found in `place`, where that is given.
std::function<Status(const PluginFound&)> tcpx_guard(
    const PluginOptions& options, std::shared_ptr<std::optional<TcpxReport>> place = nullptr);

// For a comm of a GPU that was not the plugin's first: does the receive manager serve it? Asked of
// real devmem only.
Status inspect_receive_manager(const GpuInfo& gpu, const NetDevice& chosen);

// Once the device is chosen: does data that it receives land in this GPU's memory? Asked of real
// devmem only.
Status inspect_nic(const GpuInfo& gpu, const NetDevice& chosen, const std::vector<NetDevice>& all);

}  // namespace hawser
