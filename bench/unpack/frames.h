// What it takes to put a small receive, such as a frame, in host memory.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "gpu/gpu.h"

namespace hawser::bench {

// A table: by the kernel and by the driver's copies, out of the GPU's memory into pinned memory,
// for a few fragments and receives; until it is seen to be done, median of `samples`.
Result<std::string> frames_table(const std::shared_ptr<Gpu>& gpu, int samples);

}  // namespace hawser::bench
