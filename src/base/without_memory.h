// For destructors, which may not throw.
#pragma once

#include <new>
#include <utility>

namespace hawser {

// Leaves out what there is no memory for: a log line, say.
template <class Work>
void unless_out_of_memory(Work&& work) noexcept {
  try {
    std::forward<Work>(work)();
  } catch (const std::bad_alloc&) {
  }
}

}  // namespace hawser
