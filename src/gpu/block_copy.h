// Many small copies as one: what is asked for.
#pragma once

#include <cstddef>

namespace hawser {

struct BlockCopy {
  void* destination = nullptr;
  const void* source = nullptr;
  std::size_t bytes = 0;  // 0: nothing is copied, and the addresses may be anything
};

}  // namespace hawser
