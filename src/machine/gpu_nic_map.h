// Which NICs serve which GPU, and why.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "machine/pci.h"

namespace hawser {

// The NICs of one GPU, by their places in the list that was given, and the reason. A value.
struct GpuNics {
  std::size_t gpu = 0;
  std::vector<std::size_t> nics;  // never empty, in the list's order
  std::string reason;             // "under the same PCIe switch"
};

// Each GPU gets all NICs that are nearest to it, so that GPUs may share some. Where nothing is
// known of the places of either, it gets all of them. No NICs: no map.
std::vector<GpuNics> map_gpus_to_nics(std::span<const PciPlace> gpus,
                                      std::span<const PciPlace> nics);

// The same by the user's will: "0=eth1,eth2;1=eth3", a GPU being named by its place in the list.
// GPUs that it leaves out are mapped as above. Code::invalid_argument names what is wrong with it.
Result<std::vector<GpuNics>> map_gpus_to_nics(std::span<const PciPlace> gpus,
                                              std::span<const PciPlace> nics,
                                              const std::string& override_text);

}  // namespace hawser
