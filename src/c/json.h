// What C gets as text, for bindings that want no structures.
#pragma once

#include <string>
#include <vector>

#include <hawser/link.h>

namespace hawser::capi {

std::string report_json(const LinkReport& report);
std::string names_json(const std::vector<std::string>& names);

}  // namespace hawser::capi
