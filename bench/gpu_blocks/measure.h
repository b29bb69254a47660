// What a way takes for a shape.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gpu_blocks/layout.h"
#include "gpu_blocks/ways.h"

namespace hawser::bench {

struct Sample {
  double total_us = 0;  // from the first call to the last byte
  double queue_us = 0;  // of it, until the last call had returned
};

struct WayFigures {
  std::string name;
  std::vector<Sample> samples;
};

// All ways in turn, `repeats` times; the last is one copy of as many bytes in one piece. Each
// was verified before.
Result<std::vector<WayFigures>> measure(const Ways& ways, const Shape& shape, Direction direction,
                                        int repeats);

// Half a dozen lines of text.
std::string table_of(const Shape& shape, Direction direction,
                     const std::vector<WayFigures>& figures);

// How long 8 bytes take until an event after them is seen to be finished.
Result<std::string> latency_table(const Ways& ways, int repeats);

// What the kernel moves by how many thread blocks it has.
Result<std::string> grid_table(const Ways& ways, int repeats);

}  // namespace hawser::bench
