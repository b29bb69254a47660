// What is measured.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "transfers/peer.h"

namespace hawser::bench {

enum class Shape { stream, both_ways, blocks, latency };

struct Case {
  std::string name;
  Shape shape = Shape::stream;
  std::uint64_t bytes = 0;  // of a transfer
  std::uint64_t block = 0;  // of each block, scattered; 0: contiguous
};

std::vector<Case> all_cases();

// GB/s of this side's writes, or the half round trip in microseconds. Both sides call it; the
// client's figure counts.
Result<double> run(Peer& peer, const Case& what, bool client, int duration_ms);

}  // namespace hawser::bench
