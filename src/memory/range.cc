#include "memory/range.h"

namespace hawser {

const char* memory_kind_name(MemoryKind kind) {
  return kind == MemoryKind::cuda ? "cuda" : "host";
}

}  // namespace hawser
