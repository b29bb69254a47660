// What the simulated driver offers beside CUDA's API: look these up with dlsym.
// Thread-safe; C ABI.
#pragma once

#include <cstddef>

extern "C" {

// What is alive. Streams do not count the null streams.
struct HawserCudasimCounts {
  std::size_t device_allocations;
  std::size_t device_bytes;
  std::size_t pinned_allocations;
  std::size_t contexts;  // primary contexts retained at least once
  std::size_t streams;
  std::size_t events;
  std::size_t copies;  // ever started, synchronous and asynchronous
  std::size_t modules;
  std::size_t launches;  // of kernels, ever queued
};
void hawser_cudasim_counts(HawserCudasimCounts* counts);

// What cuInit returns from now on (0: success).
void hawser_cudasim_set_init_result(int result);
// Instead of HAWSER_CUDASIM_COPY_DELAY_US.
void hawser_cudasim_set_copy_delay_us(unsigned delay_us);
// Stops all asynchronous work before its next copy, fill or kernel, until it is let go on. A call
// that waits for that work hangs meanwhile, as it would on a GPU that is busy.
void hawser_cudasim_hold(int hold);
}
