#include "machine/gpu_nic_map.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace hawser {
namespace {

GpuNics nearest(std::size_t gpu, const PciPlace& place, std::span<const PciPlace> nics) {
  GpuNics found{gpu, {}, ""};
  Proximity best = Proximity::unknown;
  for (std::size_t i = 0; i < nics.size(); ++i) {
    const Proximity here = proximity(place, nics[i]);
    if (here > best) continue;
    if (here < best) found.nics.clear();
    best = here;
    found.nics.push_back(i);
  }
  found.reason = proximity_text(best);
  if (best == Proximity::same_numa_node) found.reason += fmt::format(" ({})", place.numa_node);
  return found;
}

// Cuts the text before the first `separator` off, and returns it.
std::string_view cut(std::string_view& text, char separator) {
  const auto at = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

std::string names(std::span<const PciPlace> places) {
  std::string text;
  for (const PciPlace& place : places) text += (text.empty() ? "" : ", ") + place.name;
  return text.empty() ? "none" : text;
}

Error wrong(std::string_view part, const std::string& why) {
  return Error(Code::invalid_argument,
               fmt::format("GPU-NIC map: '{}': {}; want GPU=NIC,NIC;GPU=NIC, as in 0=eth1;1=eth2",
                           part, why));
}

Result<std::size_t> parse_gpu(std::string_view part, std::string_view text, std::size_t count) {
  std::size_t gpu = 0;
  const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), gpu);
  if (problem != std::errc() || stop != text.data() + text.size())
    return wrong(part, fmt::format("'{}' is no GPU's number", text));
  if (gpu >= count) return wrong(part, fmt::format("there is no GPU {}, only {}", gpu, count));
  return gpu;
}

Result<GpuNics> parse_entry(std::string_view part, std::size_t gpus,
                            std::span<const PciPlace> nics) {
  std::string_view rest = part;
  HAWSER_ASSIGN(const std::size_t gpu, parse_gpu(part, cut(rest, '='), gpus));
  GpuNics entry{gpu, {}, "as asked for"};
  if (rest.empty()) return wrong(part, "it names no NIC");
  while (!rest.empty()) {
    const std::string_view name = cut(rest, ',');
    const auto found = std::find_if(nics.begin(), nics.end(),
                                    [&](const PciPlace& nic) { return nic.name == name; });
    if (found == nics.end())
      return wrong(part, fmt::format("there is no NIC '{}', only {}", name, names(nics)));
    const auto index = static_cast<std::size_t>(found - nics.begin());
    if (std::find(entry.nics.begin(), entry.nics.end(), index) != entry.nics.end())
      return wrong(part, fmt::format("{} stands there twice", name));
    entry.nics.push_back(index);
  }
  std::sort(entry.nics.begin(), entry.nics.end());
  return entry;
}

}  // namespace

std::vector<GpuNics> map_gpus_to_nics(std::span<const PciPlace> gpus,
                                      std::span<const PciPlace> nics) {
  std::vector<GpuNics> map;
  if (nics.empty()) return map;
  for (std::size_t gpu = 0; gpu < gpus.size(); ++gpu) map.push_back(nearest(gpu, gpus[gpu], nics));
  return map;
}

Result<std::vector<GpuNics>> map_gpus_to_nics(std::span<const PciPlace> gpus,
                                              std::span<const PciPlace> nics,
                                              const std::string& override_text) {
  std::vector<GpuNics> map = map_gpus_to_nics(gpus, nics);
  std::vector<bool> given(gpus.size());
  std::string_view rest = override_text;
  while (!rest.empty()) {
    const std::string_view part = cut(rest, ';');
    if (part.empty()) continue;
    HAWSER_ASSIGN(GpuNics entry, parse_entry(part, gpus.size(), nics));
    if (given[entry.gpu]) return wrong(part, fmt::format("GPU {} stands there twice", entry.gpu));
    given[entry.gpu] = true;
    map[entry.gpu] = std::move(entry);
  }
  return map;
}

}  // namespace hawser
