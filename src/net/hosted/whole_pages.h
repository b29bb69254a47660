// GPU memory as a device that registers whole pages takes it.
#pragma once

#include "base/result.h"
#include "memory/range.h"

namespace hawser {

class Gpu;

// The pages that `range` lies in, of one allocation; `gpu`, which may be null, knows where that
// begins and ends. Its last page may be one that the allocation ends in: the driver exports it
// whole. Code::unavailable where the first page is not the allocation's alone, or where the range
// is of several: such memory cannot be registered, and is to be staged.
Result<MemoryRange> whole_pages(const MemoryRange& range, const Gpu* gpu);

}  // namespace hawser
