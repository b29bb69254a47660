// Where the program is that a plugin runs in.
#pragma once

#include <string>

#include "base/result.h"

namespace hawser::isolate {

// `given`, else HAWSER_PLUGIN_HOST, else the one that belongs to this library or program, in a
// build tree or an installed one. Code::unavailable tells where it was looked for.
Result<std::string> find_host_program(const std::string& given);

}  // namespace hawser::isolate
