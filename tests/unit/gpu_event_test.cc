// GpuEvent, over the simulated and the real driver.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "cudasim/drivers.h"
#include "gpu/event.h"
#include "gpu/gpu.h"
#include "memory/buffer.h"
#include "support/user_stream.h"

namespace hawser {
namespace {

using test::UserStream;

constexpr std::size_t kEventBytes = 1 << 20;

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
  // The user's stream brings 2 to the device, once its gate is open.
  void check_order(UserStream& user);
};
INSTANTIATE_TEST_SUITE_P(, GpuEvents, gpu_drivers(), gpu_driver_name);

void GpuEvents::check_order(UserStream& user) {
  const auto one = pinned(1), two = pinned(2), out = pinned(0);
  const auto device = *Buffer::cuda(gpu_, kEventBytes);
  const auto stream = make_stream();
  const auto see = [&] {
    ASSERT_TRUE(stream->copy(out.range().data, device.range().data, kEventBytes).ok());
    const auto mark = stream->mark();
    ASSERT_TRUE(eventually([&] { return stream->finished(*mark).value(); }));
  };
  ASSERT_TRUE(gpu_->copy_to_device(device.range().data, one.range().data, kEventBytes).ok());

  user.close_gate();
  user.copy(device.range().data, two.range().data, kEventBytes);
  const auto event = GpuEvent::record(gpu_, user.handle());
  ASSERT_TRUE(event.ok()) << event.error().message();
  // Another stream gets on meanwhile.
  see();
  EXPECT_TRUE(all(out, 1));
  EXPECT_FALSE((*event)->finished().value());
  user.open_gate();
  ASSERT_TRUE(eventually([&] { return (*event)->finished().value(); }));
  see();
  EXPECT_TRUE(all(out, 2));
}

TEST_P(GpuEvents, FollowsAUsersStream) {
  UserStream user(*gpu_, UserStream::create(*gpu_));
  check_order(user);
}

TEST_P(GpuEvents, FollowsTheDefaultStream) {
  UserStream user(*gpu_, nullptr);
  check_order(user);
}

TEST_P(GpuEvents, KnowsItsStream) {
  UserStream user(*gpu_, UserStream::create(*gpu_));
  const auto first = GpuEvent::record(gpu_, user.handle());
  const auto second = GpuEvent::record(gpu_, user.handle());
  const auto other = GpuEvent::record(gpu_, nullptr);
  EXPECT_EQ((*first)->stream(), (*second)->stream());
  EXPECT_NE((*first)->stream(), (*other)->stream());
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
