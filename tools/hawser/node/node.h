// The single-process node: one process per machine that owns all GPUs, all NICs and all channels,
// and moves verified data between each of its GPUs and the same GPU of one peer. docs/node.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "side/side.h"

namespace hawser {

enum class NodeDirection {
  forward,  // from the client's GPUs to the server's
  both,     // that, and back at the same time
};

// The GPUs' links have ports port_base + gpu * 8. memory: host plays devices in host memory.
// chunk_bytes: a longer piece is cut; 0: the engine's. timeout_ms: for reaching the peer, and how
// long nothing may move on a link.
struct NodeOptions : SideOptions {
  int gpus = 0;  // the first so many, the same number on both sides; 0: all there are
  std::vector<std::string> devices;  // NICs, by name or index; empty: all
  std::string gpu_nic_map;  // "0=eth1,eth2;1=eth3": NICs for some GPUs, instead of the nearest
  int channels = 0;         // per pair of NICs of a GPU's link; 0: as the engine thinks best

  // From here on the server's options rule on both sides.
  std::uint64_t bytes = 16'777'216;  // per GPU, direction and iteration
  std::uint64_t iterations = 10;
  int duration_ms = 0;  // instead of `iterations`, where not 0
  NodeDirection direction = NodeDirection::forward;
  bool verify = true;  // every byte of every iteration
};

// Runs one side, to its end; needs the other side somewhere. Several may run at a time in a
// process. Calls into a hosted plugin.
SideResult run_node(const NodeOptions& options, const SideOutput& output);

}  // namespace hawser
