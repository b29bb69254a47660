// A CUDA stream as a user has one, which tests hold back.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>

#include "gpu/gpu.h"
#include "support/threads.h"

namespace hawser::test {

// A stream as a user has one, which stands still until the gate is opened.
class UserStream {
 public:
  UserStream(const Gpu& gpu, CUstream stream) : gpu_(gpu), stream_(stream) {}
  ~UserStream() {
    open_gate();
    EXPECT_EQ(gpu_.driver().cuStreamSynchronize(stream_), kCudaSuccess);
    if (stream_ != nullptr) gpu_.driver().cuStreamDestroy(stream_);
  }

  static CUstream create(const Gpu& gpu) {
    CUstream stream = nullptr;
    EXPECT_TRUE(gpu.make_current().ok());
    EXPECT_EQ(gpu.driver().cuStreamCreate(&stream, 1), kCudaSuccess);
    return stream;
  }
  CUstream handle() const { return stream_; }
  void close_gate() {
    open_ = false;
    void* const library = dlopen(gpu_.driver().library.c_str(), RTLD_NOW | RTLD_LOCAL);
    using Launch = CUresult(CUstream, void (*)(void*), void*);
    auto* const launch = reinterpret_cast<Launch*>(dlsym(library, "cuLaunchHostFunc"));
    ASSERT_NE(launch, nullptr);
    ASSERT_EQ(launch(stream_, &UserStream::stand, &open_), kCudaSuccess);
  }
  void open_gate() { open_ = true; }
  void copy(void* to, const void* from, std::size_t bytes) {
    EXPECT_EQ(gpu_.driver().cuMemcpyAsync(device_address(to), device_address(from), bytes, stream_),
              kCudaSuccess);
  }

 private:
  // Bounded, for a test that fails must give back memory that the stream has yet to copy.
  static void stand(void* open) {
    EXPECT_TRUE(eventually([open] { return static_cast<std::atomic<bool>*>(open)->load(); }));
  }

  const Gpu& gpu_;
  CUstream stream_;
  std::atomic<bool> open_{false};
};

}  // namespace hawser::test
