#include "memory/range.h"

namespace hawser {

const char* memory_kind_name(MemoryKind kind) {
  return kind == MemoryKind::cuda ? "cuda" : "host";
}

bool MemoryRange::contains(const MemoryRange& inner) const {
  if (kind != inner.kind || gpu != inner.gpu) return false;
  if (inner.address() < address() || inner.bytes > bytes) return false;
  return inner.address() - address() <= bytes - inner.bytes;
}

}  // namespace hawser
