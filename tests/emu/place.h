// Where a comm's device-side memory lives: on a GPU, or in host memory that stands in for one.
#pragma once

#include <cstddef>

#include "cuda.h"

namespace emu {

// A value; `cuda` outlives every Place. All functions: nullptr or false on failure.
struct Place {
  const Cuda* cuda = nullptr;
  CudaContext context = nullptr;  // nullptr: host memory
  int gpu = -1;                   // of the context

  bool on_gpu() const { return context != nullptr; }

  void* allocate_device(std::size_t bytes) const;  // page aligned
  void free_device(void* memory, std::size_t bytes) const;
  // Addresses that look like such memory, and that nothing may use, ever; nullptr: none are left.
  void* dead_address(std::size_t bytes) const;
  void* allocate_mapped(std::size_t bytes) const;  // zeroed
  void free_mapped(void* memory, std::size_t bytes) const;
  bool write(void* device, const void* host, std::size_t bytes) const;
  bool settle() const;  // what was written is visible to every stream of the GPU
};

}  // namespace emu
