#include "place.h"

#include <sys/mman.h>

#include <cstring>

namespace emu {
namespace {

// Lazily committed: a large pool costs only what is used of it.
void* map_pages(std::size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

}  // namespace

void* Place::allocate_device(std::size_t bytes) const {
  if (!on_gpu()) return map_pages(bytes);
  void* memory = nullptr;
  return cuda->allocate(context, &memory, bytes) == 0 ? memory : nullptr;
}

void Place::free_device(void* memory, std::size_t bytes) const {
  if (memory == nullptr) return;
  if (on_gpu())
    cuda->free(context, memory);
  else
    munmap(memory, bytes);
}

void* Place::dead_address(std::size_t bytes) const {
  void* nothing = nullptr;
  if (on_gpu()) return cuda->reserve(context, &nothing, bytes) == 0 ? nothing : nullptr;
  nothing = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return nothing == MAP_FAILED ? nullptr : nothing;
}

void* Place::allocate_mapped(std::size_t bytes) const {
  if (!on_gpu()) return map_pages(bytes);
  void* memory = nullptr;
  if (cuda->allocate_mapped(context, &memory, bytes) != 0) return nullptr;
  std::memset(memory, 0, bytes);
  return memory;
}

void Place::free_mapped(void* memory, std::size_t bytes) const {
  if (memory == nullptr) return;
  if (on_gpu())
    cuda->free_mapped(context, memory);
  else
    munmap(memory, bytes);
}

bool Place::write(void* device, const void* host, std::size_t bytes) const {
  if (on_gpu()) return cuda->to_device(context, device, host, bytes) == 0;
  std::memcpy(device, host, bytes);
  return true;
}

bool Place::settle() const {
  return !on_gpu() || cuda->synchronize(context) == 0;
}

}  // namespace emu
