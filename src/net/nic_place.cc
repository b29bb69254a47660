#include "net/nic_place.h"

#include <filesystem>
#include <system_error>

namespace hawser {

PciPlace place_of(const NetDevice& device) {
  std::error_code problem;
  const auto path = std::filesystem::canonical(device.pci_path, problem);
  return {device.name, problem ? device.pci_path : path.string(), device.numa_node};
}

}  // namespace hawser
