#include "engine/nic_choice.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/parameters.h"
#include "gpu/gpu.h"
#include "machine/gpu_nic_map.h"
#include "net/nic_place.h"

namespace hawser::engine {
namespace {

const NetDevice& device_of(const Net& net, int index) {
  return net.devices()[static_cast<std::size_t>(index)];
}

Result<std::vector<int>> named(Net& net, const std::vector<std::string>& names) {
  std::vector<int> found;
  for (const std::string& name : names) {
    HAWSER_ASSIGN(const int device, choose_device(net, name));
    if (std::ranges::find(found, device) == found.end()) found.push_back(device);
  }
  return found;
}

std::vector<int> usable(const Net& net) {
  std::vector<int> devices;
  const auto& all = net.devices();
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!all[i].gone && !all[i].asked_only && (all.size() == 1 || all[i].name != "lo"))
      devices.push_back(static_cast<int>(i));
  return devices;
}

}  // namespace

Result<NicChoice> NicChoice::create(Net& net, const CudaDriver* driver,
                                    const EngineOptions& options) {
  NicChoice choice;
  choice.all_ = usable(net);
  if (!options.devices.empty()) {
    HAWSER_ASSIGN(choice.all_, named(net, options.devices));
  }
  if (choice.all_.empty())
    return Error(Code::unavailable, fmt::format("{} offers no device{}", net.description(),
                                                net.devices().empty() ? "" : " any more"));
  if (driver == nullptr && !options.gpu_nic_map.empty())
    return Error(Code::unavailable, "a GPU-NIC map was given, but no GPU is usable");
  if (driver == nullptr) return choice;
  HAWSER_ASSIGN(const std::vector<GpuInfo> gpus, list_gpus(*driver));
  const std::string sysfs = parameters::kSysfsRoot.text_or_default();
  std::vector<PciPlace> places;
  for (const GpuInfo& gpu : gpus)
    places.push_back(find_pci_function(sysfs, fmt::format("GPU {}", gpu.ordinal), gpu.pci_bus_id));
  std::vector<PciPlace> nics;
  for (const int device : choice.all_) nics.push_back(place_of(device_of(net, device)));
  HAWSER_ASSIGN(const std::vector<GpuNics> map,
                map_gpus_to_nics(places, nics, options.gpu_nic_map));
  choice.by_gpu_.resize(gpus.size());
  for (const GpuNics& entry : map)
    for (const std::size_t nic : entry.nics) choice.by_gpu_[entry.gpu].push_back(choice.all_[nic]);
  return choice;
}

int NicChoice::gpu_near(int device) const {
  const auto serves = [device](const std::vector<int>& nics) {
    return std::ranges::find(nics, device) != nics.end();
  };
  const auto first = std::ranges::find_if(by_gpu_, serves);
  return first == by_gpu_.end() ? -1 : static_cast<int>(first - by_gpu_.begin());
}

Result<std::vector<int>> NicChoice::for_link(Net& net, const LinkOptions& options) const {
  if (!options.devices.empty()) return named(net, options.devices);
  const auto gpu = static_cast<std::size_t>(options.gpu);
  if (options.gpu < 0 || gpu >= by_gpu_.size() || by_gpu_[gpu].empty()) return all_;
  return by_gpu_[gpu];
}

}  // namespace hawser::engine
