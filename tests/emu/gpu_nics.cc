#include "gpu_nics.h"

#include <climits>
#include <cstdlib>
#include <sstream>

namespace emu {
namespace {

// "/sys/devices/pci0000:04" of "/sys/devices/pci0000:04/0000:04:01.0/0000:06:00.0"; "": unknown.
std::string pci_root(const std::string& path) {
  const auto at = path.find("/pci");
  return at == std::string::npos ? "" : path.substr(0, path.find('/', at + 1));
}

std::string pci_path(const std::string& sysfs_root, const std::string& address) {
  char path[PATH_MAX];
  const std::string link = sysfs_root + "/bus/pci/devices/" + address;
  return realpath(link.c_str(), path) != nullptr ? path : "";
}

}  // namespace

GpuNics::GpuNics(const std::string& text, std::string sysfs_root)
    : sysfs_root_(std::move(sysfs_root)) {
  std::istringstream in(text);
  for (std::string name; std::getline(in, name, ',');) names_.push_back(name);
}

bool GpuNics::fits(const Cuda& cuda, int gpu, const Device& device) const {
  if (!names_.empty()) {
    const auto at = static_cast<std::size_t>(gpu);
    return at >= names_.size() || names_[at] == device.name;
  }
  const std::string of_gpu = pci_root(pci_path(sysfs_root_, cuda.pci_address(gpu)));
  const std::string of_device = pci_root(device.pci_path);
  return of_gpu.empty() || of_device.empty() || of_gpu == of_device;
}

}  // namespace emu
