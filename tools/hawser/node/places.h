// The GPUs of a node, or what is played in their stead, and the NICs that each one's link takes.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <hawser/link.h>

#include "base/result.h"
#include "gpu/gpu.h"
#include "memory/buffer.h"
#include "node/node.h"

namespace hawser::node {

// One GPU, or one played device. A value.
struct Place {
  std::shared_ptr<Gpu> gpu;       // null: host memory
  std::string name;               // "NVIDIA H200", "played device"
  int link_gpu = -1;              // LinkOptions::gpu
  std::vector<std::string> nics;  // LinkOptions::devices

  Result<Buffer> allocate(std::size_t bytes) const {
    return gpu ? Buffer::cuda(gpu, bytes) : Buffer::host(bytes);
  }
};

struct Places {
  std::vector<Place> gpus;  // by number
  bool played = false;      // in host memory
  std::string words;        // "8 played devices in host memory, no GPU", "8 GPUs (NVIDIA H200)"
};

// Code::invalid_argument: `gpus` is missing, or more than there are; Code::unavailable: there is no
// GPU, and how to do without.
Result<Places> find_places(const NodeOptions& options);

// Played devices that stand for no GPU take all NICs, or those that the map gives them;
// for others the engine knows better.
Status choose_nics(Places& places, const std::vector<std::string>& nics, const std::string& map);

}  // namespace hawser::node
