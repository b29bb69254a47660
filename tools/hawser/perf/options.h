// Checks what a user asked of a measurement.
#pragma once

#include "base/result.h"
#include "perf/perf.h"

namespace hawser {

// Code::invalid_argument names the option, and what it takes.
Status check_options(const PerfOptions& options);
// The same with every default that does not depend on the transport filled in.
PerfOptions completed(PerfOptions options);
const char* over_name(PerfOver over);  // "link", "net"
const char* idle_name(PerfIdle idle);

}  // namespace hawser
