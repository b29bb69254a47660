#include "node/places.h"

#include <fmt/core.h>

#include "machine/gpu_nic_map.h"
#include "node/options.h"

namespace hawser::node {
namespace {

constexpr const char* kPlayIt = "to play devices in host memory: --gpus 8 --memory host";

std::string gpu_words(const std::vector<Place>& gpus) {
  bool alike = true;
  for (const Place& place : gpus) alike = alike && place.name == gpus.front().name;
  return fmt::format("{} GPU{} ({})", gpus.size(), gpus.size() == 1 ? "" : "s",
                     alike ? gpus.front().name : "not all of one kind");
}

// How many of `there` are used.
Result<std::size_t> count_gpus(int wanted, std::size_t there) {
  if (static_cast<std::size_t>(wanted) > there)
    return Error(Code::invalid_argument,
                 fmt::format("gpus: {}, but there are only {}; {}", wanted, there, kPlayIt));
  return wanted == 0 ? there : static_cast<std::size_t>(wanted);
}

Result<Places> find_gpus(const NodeOptions& options) {
  const auto driver = CudaDriver::load();
  if (!driver.ok())
    return Error(driver.error().code(), fmt::format("{}; {}", driver.error().message(), kPlayIt));
  HAWSER_ASSIGN(const std::vector<GpuInfo> there, list_gpus(**driver));
  HAWSER_ASSIGN(const std::size_t count, count_gpus(options.gpus, there.size()));
  Places found;
  for (std::size_t i = 0; i < count; ++i) {
    HAWSER_ASSIGN(std::shared_ptr<Gpu> gpu, Gpu::open(*driver, there[i].ordinal));
    found.gpus.push_back({std::move(gpu), there[i].name, there[i].ordinal, {}});
  }
  found.words = gpu_words(found.gpus);
  return found;
}

std::size_t gpus_here() {
  const auto driver = CudaDriver::load();
  if (!driver.ok()) return 0;
  const auto there = list_gpus(**driver);
  return there.ok() ? there->size() : 0;
}

Result<Places> play(const NodeOptions& options) {
  const std::size_t there = gpus_here();
  const std::size_t count = options.gpus == 0 ? there : static_cast<std::size_t>(options.gpus);
  if (count == 0)
    return Error(Code::invalid_argument,
                 "gpus: want a number with host memory where there is no GPU, as in --gpus 8");
  const bool stands_for_gpus = count <= there;
  Places found;
  found.played = true;
  for (std::size_t i = 0; i < count; ++i)
    found.gpus.push_back(
        {nullptr, "played device", stands_for_gpus ? static_cast<int>(i) : -1, {}});
  found.words = fmt::format("{} played device{} in host memory, {}", count, count == 1 ? "" : "s",
                            stands_for_gpus ? "on the NICs of the GPUs" : "no GPU");
  return found;
}

}  // namespace

Result<Places> find_places(const NodeOptions& options) {
  return options.memory == MemoryChoice::host ? play(options) : find_gpus(options);
}

Status choose_nics(Places& places, const std::vector<std::string>& nics, const std::string& map) {
  if (places.gpus.front().link_gpu >= 0 || map.empty()) return {};
  std::vector<PciPlace> devices, networks;
  for (std::size_t i = 0; i < places.gpus.size(); ++i)
    devices.push_back({fmt::format("played device {}", i), "", -1});
  for (const std::string& nic : nics) networks.push_back({nic, "", -1});
  HAWSER_ASSIGN(const std::vector<GpuNics> chosen, map_gpus_to_nics(devices, networks, map));
  for (const GpuNics& entry : chosen)
    for (const std::size_t nic : entry.nics) places.gpus[entry.gpu].nics.push_back(nics[nic]);
  return {};
}

}  // namespace hawser::node
