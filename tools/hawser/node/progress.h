// Where a run is, in a line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "node/gpu_view.h"

namespace hawser::node {

// Compares each look with the one before it. Not thread-safe.
class Progress {
 public:
  explicit Progress(TimePoint start) : start_(start), last_(start) {}
  // `views` are the GPUs, each time the same ones.
  std::string line(const std::vector<GpuSample>& views, TimePoint now);

 private:
  TimePoint start_;
  TimePoint last_;
  std::vector<std::uint64_t> moved_;  // of each GPU, as of the last look
};

}  // namespace hawser::node
