// cuMemcpyBatchAsync, which drivers have from CUDA 12.8 on; hawser itself does not use it.
#pragma once

#include <memory>

#include "gpu/gpu.h"
#include "gpu_blocks/ways.h"

namespace hawser::bench {

// Null where the driver has no such call.
std::unique_ptr<Way> make_batch_way(const Gpu& gpu, CUstream stream);

}  // namespace hawser::bench
