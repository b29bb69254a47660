#include "net/unpack/unpack_mode.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "base/parameters.h"

namespace hawser {
namespace {

constexpr std::array<const char*, kUnpackModes> kModeNames = {"auto", "kernel", "d2d", "host",
                                                              "none"};

}  // namespace

const char* unpack_mode_name(UnpackMode mode) {
  return kModeNames[static_cast<std::size_t>(mode)];
}

Result<UnpackMode> parse_unpack_mode(const std::string& name) {
  const auto at = std::find(kModeNames.begin(), kModeNames.end(), name);
  if (at != kModeNames.end()) return static_cast<UnpackMode>(at - kModeNames.begin());
  return Error(Code::invalid_argument,
               fmt::format("no unpack mode '{}': auto, kernel, d2d, host or none", name));
}

Result<UnpackMode> unpack_mode_from_environment() {
  HAWSER_ASSIGN(const std::string name, parameters::kUnpack.choice());
  return parse_unpack_mode(name);
}

std::string UnpackUse::text() const {
  std::vector<UnpackMode> used;
  for (std::size_t i = 0; i < kUnpackModes; ++i)
    if (bytes(static_cast<UnpackMode>(i)) > 0) used.push_back(static_cast<UnpackMode>(i));
  std::stable_sort(used.begin(), used.end(),
                   [this](UnpackMode a, UnpackMode b) { return bytes(a) > bytes(b); });
  std::string text;
  for (const UnpackMode mode : used) {
    if (!text.empty()) text += '+';
    text += unpack_mode_name(mode);
  }
  return text;
}

}  // namespace hawser
