#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include <hawser/devices.h>

#include "base/parameters.h"
#include "gpu/gpu.h"
#include "machine/gpu_nic_map.h"
#include "net/nic_place.h"
#include "setup/transport.h"

namespace hawser {
namespace {

using nlohmann::json;

std::string pointer_kinds(const NetCapabilities& capabilities) {
  if (!capabilities.cuda_pointers) return "host";
  return capabilities.host_pointers ? "host+cuda" : "cuda";
}

const char* devmem_text(Devmem devmem) {
  switch (devmem) {
    case Devmem::none:
      return "none";
    case Devmem::emulated:
      return "emulated";
    case Devmem::real:
      return "yes";
  }
  return "?";
}

json device_json(const NetDevice& device, std::size_t index) {
  const NetCapabilities& can = device.capabilities;
  return {{"index", index},
          {"name", device.name},
          {"address", device.address},
          {"pci_path", device.pci_path},
          {"speed_mbps", device.speed_mbps},
          {"numa_node", device.numa_node},
          {"max_comms", device.max_comms},
          {"sockets_per_channel", device.sockets},
          {"manner", device.manner},
          {"pointers", pointer_kinds(can)},
          {"devmem", devmem_text(device.devmem)},
          {"max_requests", can.max_requests},
          {"max_request_bytes", can.max_request_bytes},
          {"needs_unpack", can.needs_unpack},
          {"registration_per_device", can.registration_per_device},
          {"registers_whole_pages", can.registers_whole_pages},
          {"one_creation_at_a_time", can.one_creation_at_a_time}};
}

std::string device_line(const NetDevice& device, std::size_t index) {
  const NetCapabilities& can = device.capabilities;
  return fmt::format(
             "  {:>3}  {:<15} {:>7} Mbps  {:<9} devmem {:<8}  {:>2} requests of {} bytes  {}  {}\n",
             index, device.name, device.speed_mbps, pointer_kinds(can), devmem_text(device.devmem),
             can.max_requests, can.max_request_bytes, device.address.empty() ? "-" : device.address,
             device.pci_path.empty() ? "(no PCI device)" : device.pci_path) +
         (device.manner.empty() ? "" : fmt::format("       {}\n", device.manner));
}

json gpu_json(const GpuInfo& gpu) {
  return {{"ordinal", gpu.ordinal},
          {"name", gpu.name},
          {"pci_bus_id", gpu.pci_bus_id},
          {"memory_bytes", gpu.memory_bytes},
          {"compute", fmt::format("{}.{}", gpu.compute_major, gpu.compute_minor)},
          {"dma_buf", gpu.dma_buf}};
}

std::string gpu_line(const GpuInfo& gpu) {
  return fmt::format("  {:>3}  {}  {} MiB  compute {}.{}  {}  dma-buf {}\n", gpu.ordinal, gpu.name,
                     gpu.memory_bytes >> 20, gpu.compute_major, gpu.compute_minor, gpu.pci_bus_id,
                     gpu.dma_buf ? "yes" : "no");
}

Result<std::vector<GpuInfo>> gpus() {
  HAWSER_ASSIGN(const std::shared_ptr<const CudaDriver> driver, CudaDriver::load());
  return list_gpus(*driver);
}

// A plugin may want a current device. Null: there is none that is usable.
std::shared_ptr<Gpu> first_gpu() {
  auto driver = CudaDriver::load();
  if (!driver.ok()) return nullptr;
  auto gpu = Gpu::open(std::move(*driver), 0);
  if (!gpu.ok()) return nullptr;
  static_cast<void>((*gpu)->make_current().ok());
  return std::move(*gpu);
}

void describe_net(const Transport& transport, DevicesResult& result, json& object) {
  object["transport"] = {{"name", transport.net->name()},
                         {"description", transport.net->description()},
                         {"why", transport.why}};
  result.text = fmt::format("Transport: {} ({})\n", transport.net->description(), transport.why);
  json list = json::array();
  const auto& devices = transport.net->devices();
  for (std::size_t i = 0; i < devices.size(); ++i) {
    list.push_back(device_json(devices[i], i));
    result.text += device_line(devices[i], i);
  }
  object["devices"] = list;
}

const char* state_of(const CheckOutcome& outcome) {
  if (!outcome.finding) return "ok";
  return outcome.finding->severity == Severity::error ? "error" : "warning";
}

void describe_tcpx(const TcpxReport& report, DevicesResult& result, json& object) {
  const TcpxSetup& setup = report.setup;
  json checks = json::array();
  result.text += fmt::format("TCPX set-up: {}, version {}, from {}\n", setup.plugin.name,
                             setup.version.empty() ? "not told" : setup.version, setup.plugin.file);
  for (const CheckOutcome& outcome : report.outcomes) {
    const Finding found = outcome.finding.value_or(Finding());
    checks.push_back({{"subject", outcome.subject},
                      {"state", state_of(outcome)},
                      {"what", found.what},
                      {"fix", found.fix}});
    result.text += fmt::format("  {:<8} {}{}{}\n", state_of(outcome), outcome.subject,
                               outcome.finding ? ": " : "", outcome.finding ? found.text() : "");
  }
  object["tcpx_setup"] = {{"plugin", setup.plugin.name},
                          {"version", setup.version},
                          {"file", setup.plugin.file},
                          {"checks", checks}};
}

// The devices that may serve GPUs: loopback only where there is nothing else.
std::vector<PciPlace> nics_of(const Net& net) {
  std::vector<PciPlace> nics;
  for (const NetDevice& device : net.devices()) nics.push_back(place_of(device));
  if (nics.size() > 1) std::erase_if(nics, [](const PciPlace& nic) { return nic.name == "lo"; });
  return nics;
}

Status describe_map(const std::vector<GpuInfo>& gpus, const std::vector<PciPlace>& nics,
                    const std::string& wanted, DevicesResult& result, json& object) {
  const std::string sysfs = parameters::kSysfsRoot.text_or_default();
  std::vector<PciPlace> places;
  for (const GpuInfo& gpu : gpus)
    places.push_back(find_pci_function(sysfs, fmt::format("GPU {}", gpu.ordinal), gpu.pci_bus_id));
  HAWSER_ASSIGN(const std::vector<GpuNics> map, map_gpus_to_nics(places, nics, wanted));
  object["gpu_nic_map"] = json::array();
  result.text += "NICs for each GPU:\n";
  for (const GpuNics& entry : map) {
    std::vector<std::string> names;
    std::string text;
    for (const std::size_t nic : entry.nics) {
      names.push_back(nics[nic].name);
      text += (text.empty() ? "" : ", ") + nics[nic].name;
    }
    object["gpu_nic_map"].push_back(
        {{"gpu", gpus[entry.gpu].ordinal}, {"nics", names}, {"reason", entry.reason}});
    result.text += fmt::format("  {:<7} {:<20} {}\n", places[entry.gpu].name, text, entry.reason);
  }
  return {};
}

Status describe_gpus(const DevicesOptions& options, const Net& net, DevicesResult& result,
                     json& object) {
  const auto found = gpus();
  object["gpus"] = json::array();
  if (!found.ok()) {
    object["no_gpu"] = found.error().message();
    result.text += fmt::format("GPUs: none usable: {}\n", found.error().message());
    if (options.gpu_nic_map.empty()) return {};
    return Error(Code::unavailable,
                 "a GPU-NIC map was given, but no GPU is usable: " + found.error().message());
  }
  result.text += "GPUs:\n";
  for (const GpuInfo& gpu : *found) {
    object["gpus"].push_back(gpu_json(gpu));
    result.text += gpu_line(gpu);
  }
  return describe_map(*found, nics_of(net), options.gpu_nic_map, result, object);
}

}  // namespace

DevicesResult describe_devices(const DevicesOptions& options) {
  const std::shared_ptr<Gpu> gpu = first_gpu();
  TransportChoice choice;
  choice.plugin = options.plugin;
  const auto transport = open_transport(choice, gpu, std::make_shared<CallJournal>());
  if (!transport.ok()) return {false, transport.error().message(), ""};
  DevicesResult result{true, "", ""};
  json object;
  describe_net(*transport, result, object);
  if (transport->tcpx) describe_tcpx(*transport->tcpx, result, object);
  const Status described = describe_gpus(options, *transport->net, result, object);
  if (!described.ok()) return {false, described.error().message(), ""};
  result.json = object.dump(2, ' ', false, json::error_handler_t::replace);
  return result;
}

}  // namespace hawser
