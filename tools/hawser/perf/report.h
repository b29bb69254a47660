// The three forms of a report.
#pragma once

#include <string>

#include "perf/outcome.h"

namespace hawser {

std::string table_of(const PerfOutcome& outcome);
std::string csv_of(const PerfOutcome& outcome);
std::string json_of(const PerfOutcome& outcome);

const char* traffic_name(Traffic traffic);  // "stream", "ping-pong"

}  // namespace hawser
