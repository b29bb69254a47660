// Copies between page-locked memory and a GPU that go on while the comm does something else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cuda.h"

namespace emu {

// Windows of page-locked memory, copied one after another by a stream, used again in that order.
// All of it is made once. No call blocks, but making and ending it. One thread at a time.
class CopyRing {
 public:
  // nullptr on failure. `cuda` outlives it.
  static std::unique_ptr<CopyRing> create(const Cuda& cuda, CudaContext context,
                                          std::size_t windows, std::size_t window_bytes);
  ~CopyRing();  // once the copies have ended
  CopyRing(const CopyRing&) = delete;
  CopyRing& operator=(const CopyRing&) = delete;

  std::size_t window_bytes() const { return window_bytes_; }
  bool full() const { return started_ - released_ == events_.size(); }
  std::byte* next() const { return window(started_); }  // the caller's until its copy starts

  // Start the copy of the next window; false on failure. Not where it is full.
  bool to_device(void* device, std::size_t bytes);
  bool from_device(const void* device, std::size_t bytes);

  // Sees which copies have ended. False: one failed.
  bool poll();
  std::uint64_t started() const { return started_; }    // copies, ever
  std::uint64_t finished() const { return finished_; }  // of these, as of the last poll()

  // The oldest window that was not released, once its copy has finished.
  const std::byte* oldest() const { return finished_ == released_ ? nullptr : window(released_); }
  void release() { ++released_; }
  void release_finished() { released_ = finished_; }

 private:
  CopyRing(const Cuda& cuda, CudaContext context, std::size_t windows, std::size_t window_bytes);
  bool open();
  std::byte* window(std::uint64_t number) const {
    return memory_ + number % events_.size() * window_bytes_;
  }
  bool mark(int result);

  const Cuda& cuda_;
  const CudaContext context_;
  const std::size_t window_bytes_;
  std::byte* memory_ = nullptr;
  CudaStream stream_ = nullptr;
  std::vector<CudaEvent> events_;  // one a window; null: not made
  std::uint64_t started_ = 0;
  std::uint64_t finished_ = 0;
  std::uint64_t released_ = 0;
};

}  // namespace emu
