// GpuEvent and GpuStream::wait_for, over the simulated and the real driver.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "cudasim/drivers.h"
#include "gpu/event.h"
#include "gpu/gpu.h"
#include "memory/buffer.h"

namespace hawser {
namespace {

constexpr std::size_t kEventBytes = 1 << 20;

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
    void* const library = dlopen(gpu_.driver().library.c_str(), RTLD_NOW | RTLD_LOCAL);
    using Launch = CUresult(CUstream, void (*)(void*), void*);
    auto* const launch = reinterpret_cast<Launch*>(dlsym(library, "cuLaunchHostFunc"));
    ASSERT_NE(launch, nullptr);
    ASSERT_EQ(launch(stream_, &UserStream::stand, &open_), kCudaSuccess);
  }
  void open_gate() { open_ = true; }
  void copy(const Buffer& to, const Buffer& from) {
    EXPECT_EQ(
        gpu_.driver().cuMemcpyAsync(device_address(to.range().data),
                                    device_address(from.range().data), to.range().bytes, stream_),
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

class GpuEvents : public GpuTest {
 protected:
  std::unique_ptr<GpuStream> make_stream() { return *GpuStream::create(gpu_, 4); }
  Buffer pinned(int value) {
    auto buffer = *Buffer::pinned(gpu_, kEventBytes);
    EXPECT_TRUE(buffer.write(0, std::vector(kEventBytes, static_cast<std::byte>(value))).ok());
    return buffer;
  }
  static bool all(const Buffer& buffer, int value) {
    std::vector<std::byte> bytes(kEventBytes);
    return buffer.read(0, bytes).ok() && bytes == std::vector(kEventBytes, std::byte(value));
  }
  // The user's stream brings 2 to the device, once its gate is open; ours brings that to `out`.
  void check_order(UserStream& user);
};
INSTANTIATE_TEST_SUITE_P(, GpuEvents, gpu_drivers(), gpu_driver_name);

void GpuEvents::check_order(UserStream& user) {
  const auto one = pinned(1), two = pinned(2), out = pinned(0), other_out = pinned(0);
  const auto device = *Buffer::cuda(gpu_, kEventBytes);
  const auto stream = make_stream();
  const auto bystander = make_stream();
  ASSERT_TRUE(gpu_->copy_to_device(device.range().data, one.range().data, kEventBytes).ok());

  user.close_gate();
  user.copy(device, two);
  {
    const auto event = GpuEvent::record(gpu_, user.handle());
    ASSERT_TRUE(event.ok()) << event.error().message();
    ASSERT_TRUE(stream->wait_for(**event).ok());
  }
  ASSERT_TRUE(stream->copy(out.range().data, device.range().data, kEventBytes).ok());
  const auto mark = stream->mark();
  // Another stream gets on meanwhile, twice; ours does not.
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(bystander->copy(other_out.range().data, one.range().data, kEventBytes).ok());
    ASSERT_TRUE(bystander->copy(other_out.range().data, device.range().data, kEventBytes).ok());
    const auto seen = bystander->mark();
    ASSERT_TRUE(eventually([&] { return bystander->finished(*seen).value(); }));
    EXPECT_TRUE(all(other_out, 1));
    EXPECT_FALSE(stream->finished(*mark).value());
    EXPECT_TRUE(all(out, 0));
  }
  user.open_gate();
  ASSERT_TRUE(eventually([&] { return stream->finished(*mark).value(); }));
  EXPECT_TRUE(all(out, 2));
}

TEST_P(GpuEvents, ACopyWaitsForAUsersStream) {
  UserStream user(*gpu_, UserStream::create(*gpu_));
  check_order(user);
}

TEST_P(GpuEvents, ACopyWaitsForTheDefaultStream) {
  UserStream user(*gpu_, nullptr);
  check_order(user);
}

TEST_P(GpuEvents, BlocksWaitToo) {
  UserStream user(*gpu_, UserStream::create(*gpu_));
  const auto two = pinned(2), out = pinned(0);
  const auto device = *Buffer::cuda(gpu_, kEventBytes);
  const auto stream = make_stream();
  ASSERT_TRUE(stream->prepare_blocks().ok());  // loading a kernel may wait for what runs
  user.close_gate();
  user.copy(device, two);
  ASSERT_TRUE(stream->wait_for(**GpuEvent::record(gpu_, user.handle())).ok());
  std::vector<BlockCopy> blocks;
  for (std::size_t at = 0; at < kEventBytes; at += 4096)
    blocks.push_back({out.range().at(at), device.range().at(at), 4096});
  ASSERT_TRUE(stream->copy_blocks(blocks).ok());
  const auto mark = stream->mark();
  EXPECT_FALSE(stream->finished(*mark).value());
  EXPECT_TRUE(all(out, 0));
  user.open_gate();
  ASSERT_TRUE(eventually([&] { return stream->finished(*mark).value(); }));
  EXPECT_TRUE(all(out, 2));
}

TEST_P(GpuEvents, AnIdleStreamIsWaitedForAtOnce) {
  const auto stream = make_stream();
  for (int round = 0; round < 100; ++round) {
    const auto event = GpuEvent::record(gpu_, nullptr);
    ASSERT_TRUE(event.ok()) << event.error().message();
    ASSERT_TRUE(stream->wait_for(**event).ok());
  }
  ASSERT_TRUE(stream->synchronize().ok());
}

TEST_P(GpuEvents, AStreamBeingCapturedIsRefused) {
  auto driver = std::make_shared<CudaDriver>(*driver_);
  driver->cuStreamIsCapturing = [](CUstream, int* status) { return *status = 1, 0; };
  const auto event = GpuEvent::record(*Gpu::open(driver, 0), nullptr);
  ASSERT_FALSE(event.ok());
  EXPECT_EQ(event.error().code(), Code::invalid_argument);
  EXPECT_THAT(event.error().message(), testing::HasSubstr("captured into a CUDA graph"));
}

}  // namespace
}  // namespace hawser
