// The cores of GPUDirect-TCPX's threads, as NCCL_GPUDIRECTTCPX_TX_BINDINGS and RX_BINDINGS have
// them: "eth1:8-21,112-125;eth2:8-21,112-125".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hawser {

// The cores of one NIC's threads. A value.
struct CoreSet {
  std::string interface;
  std::vector<int> cpus;  // sorted, each once
};

// As the plugin reads it, but for what it passes over in silence: that is Code::invalid_argument,
// and the message tells the part. The plugin takes ranges only: "8" is written "8-8".
Result<std::vector<CoreSet>> parse_core_sets(std::string_view text);

// The cores in both, sorted.
std::vector<int> shared_cpus(const std::vector<int>& one, const std::vector<int>& other);

}  // namespace hawser
