// How the two sides of a measurement find each other.
#pragma once

#include <memory>

#include "perf/measurement.h"
#include "perf/perf.h"

namespace hawser {

// Waits for a client, or calls a server, and settles what both will do; nothing of the transport
// is opened yet. `options` are completed() ones.
Result<std::shared_ptr<Measurement>> meet(const PerfOptions& options, const SideOutput& output,
                                          std::shared_ptr<const Environment> environment);

}  // namespace hawser
