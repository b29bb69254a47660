#include "setup/core_sets.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "base/cpus.h"

namespace hawser {
namespace {

// Cuts the text before the first `separator` off, and returns it.
std::string_view cut_off(std::string_view& text, char separator) {
  const auto at = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

Error bad_part(std::string_view part, std::string_view why) {
  return Error(Code::invalid_argument, fmt::format("'{}': {}", part, why));
}

Result<CoreSet> parse_core_set(std::string_view part) {
  std::string_view ranges = part;
  const std::string_view interface = cut_off(ranges, ':');
  if (interface.empty() || ranges.empty())
    return bad_part(part, "is not an interface, a colon and ranges of cores");
  for (std::string_view rest = ranges; !rest.empty();)
    if (const std::string_view range = cut_off(rest, ','); range.find('-') == range.npos)
      return bad_part(part, fmt::format("'{}' is no range, and the plugin takes ranges only: {}-{}",
                                        range, range, range));
  auto cpus = parse_cpus(ranges);
  if (!cpus.ok()) return bad_part(part, cpus.error().message());
  return CoreSet{std::string(interface), *std::move(cpus)};
}

}  // namespace

Result<std::vector<CoreSet>> parse_core_sets(std::string_view text) {
  std::vector<CoreSet> sets;
  while (!text.empty()) {
    const std::string_view part = cut_off(text, ';');
    if (part.empty()) continue;
    HAWSER_ASSIGN(CoreSet set, parse_core_set(part));
    sets.push_back(std::move(set));
  }
  return sets;
}

std::vector<int> shared_cpus(const std::vector<int>& one, const std::vector<int>& other) {
  std::vector<int> shared;
  std::ranges::set_intersection(one, other, std::back_inserter(shared));
  return shared;
}

}  // namespace hawser
