// Which GPU's data comes in by which NIC.
#pragma once

#include <string>
#include <vector>

#include "cuda.h"
#include "devices.h"

namespace emu {

// RxDM puts the rule of a flow on the NIC of the GPU that asks, wherever the flow comes in. A
// value.
class GpuNics {
 public:
  GpuNics() = default;
  // `text` is HAWSER_EMU_GPU_NICS; where that is empty the PCI tree under `sysfs_root` says it.
  GpuNics(const std::string& text, std::string sysfs_root);

  // Does data that comes in by the device reach the GPU? Where nothing is known, it does.
  bool fits(const Cuda& cuda, int gpu, const Device& device) const;

 private:
  std::vector<std::string> names_;  // by GPU; empty: by the tree
  std::string sysfs_root_;
};

}  // namespace emu
