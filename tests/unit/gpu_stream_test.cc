// GpuStream, over the simulated and the real driver.
#include <gtest/gtest.h>

#include <cstring>
#include <future>
#include <vector>

#include "cudasim/drivers.h"
#include "gpu/gpu.h"
#include "memory/buffer.h"

namespace hawser {
namespace {

constexpr std::size_t kBytes = 1 << 20;

std::vector<std::byte> salted_pattern(std::size_t bytes, int salt) {
  std::vector<std::byte> made(bytes);
  for (std::size_t i = 0; i < bytes; ++i)
    made[i] = static_cast<std::byte>(i * 7 + i / 256 + static_cast<std::size_t>(salt));
  return made;
}

std::vector<std::byte> contents(const Buffer& buffer) {
  std::vector<std::byte> bytes(buffer.range().bytes);
  EXPECT_TRUE(buffer.read(0, bytes).ok());
  return bytes;
}

// Two GPU buffers between two pinned ones.
struct Path {
  explicit Path(const std::shared_ptr<Gpu>& gpu)
      : in(Buffer::pinned(gpu, kBytes)),
        one(Buffer::cuda(gpu, kBytes)),
        two(Buffer::cuda(gpu, kBytes)),
        out(Buffer::pinned(gpu, kBytes)) {}

  Status queue(GpuStream& stream) {
    HAWSER_TRY(stream.copy(one->range().data, in->range().data, kBytes));
    HAWSER_TRY(stream.copy(two->range().data, one->range().data, kBytes));
    return stream.copy(out->range().data, two->range().data, kBytes);
  }

  Result<Buffer> in, one, two, out;
};

class GpuStreams : public GpuTest {
 protected:
  std::unique_ptr<GpuStream> make_stream(int max_marks) {
    auto stream = GpuStream::create(gpu_, max_marks);
    EXPECT_TRUE(stream.ok()) << stream.error().message();
    return std::move(*stream);
  }
};
INSTANTIATE_TEST_SUITE_P(, GpuStreams, gpu_drivers(), gpu_driver_name);

TEST_P(GpuStreams, CopiesAlongAPathInOrder) {
  Path path(gpu_);
  const auto stream = make_stream(4);
  const auto bytes = salted_pattern(kBytes, 1);
  ASSERT_TRUE(path.in->write(0, bytes).ok());
  ASSERT_TRUE(path.queue(*stream).ok());
  const auto mark = stream->mark();
  ASSERT_TRUE(mark.ok());
  ASSERT_TRUE(eventually([&] { return stream->finished(*mark).value(); }));
  EXPECT_TRUE(std::memcmp(path.out->range().data, bytes.data(), kBytes) == 0);
}

TEST_P(GpuStreams, SynchronizeFinishesEveryMark) {
  Path path(gpu_);
  const auto stream = make_stream(4);
  const auto bytes = salted_pattern(kBytes, 2);
  ASSERT_TRUE(path.in->write(0, bytes).ok());
  ASSERT_TRUE(path.queue(*stream).ok());
  ASSERT_TRUE(stream->mark().ok());
  ASSERT_TRUE(stream->mark().ok());
  ASSERT_TRUE(stream->synchronize().ok());
  EXPECT_TRUE(stream->finished(1).value());
  EXPECT_TRUE(stream->finished(2).value());
  EXPECT_EQ(contents(*path.out), bytes);
}

TEST_P(GpuStreams, MarksGoRoundTheRing) {
  Path path(gpu_);
  const auto stream = make_stream(3);
  for (std::uint64_t round = 1; round <= 20; ++round) {
    ASSERT_TRUE(path.queue(*stream).ok());
    const auto mark = stream->mark();
    ASSERT_TRUE(mark.ok()) << mark.error().message();
    EXPECT_EQ(*mark, round);
    if (round % 3 == 0) {
      ASSERT_TRUE(eventually([&] { return stream->finished(round).value(); }));
    }
    if (round > 3) {
      EXPECT_TRUE(stream->finished(round - 3).value());  // its slot is in use again
    }
  }
}

TEST_P(GpuStreams, RefusesMarksThatWereNeverMade) {
  const auto stream = make_stream(2);
  for (const std::uint64_t mark : {0, 1}) {
    const auto finished = stream->finished(mark);
    ASSERT_FALSE(finished.ok());
    EXPECT_EQ(finished.error().code(), Code::invalid_argument);
  }
  EXPECT_EQ(GpuStream::create(gpu_, 0).error().code(), Code::invalid_argument);
}

TEST_P(GpuStreams, TheDestructorWaitsForWhatIsQueued) {
  Path path(gpu_);
  const auto bytes = salted_pattern(kBytes, 3);
  ASSERT_TRUE(path.in->write(0, bytes).ok());
  {
    const auto stream = make_stream(1);
    ASSERT_TRUE(path.queue(*stream).ok());
  }
  EXPECT_TRUE(std::memcmp(path.out->range().data, bytes.data(), kBytes) == 0);
}

// What a synchronous write brought is there for a stream at once.
TEST_P(GpuStreams, SeesSynchronousWrites) {
  Path path(gpu_);
  const auto stream = make_stream(1);
  for (int round = 0; round < 20; ++round) {
    const auto bytes = salted_pattern(kBytes, round);
    ASSERT_TRUE(path.one->write(0, bytes).ok());
    ASSERT_TRUE(stream->copy(path.out->range().data, path.one->range().data, kBytes).ok());
    ASSERT_TRUE(stream->synchronize().ok());
    ASSERT_TRUE(std::memcmp(path.out->range().data, bytes.data(), kBytes) == 0) << round;
  }
}

TEST_P(GpuStreams, WorkSideBySideInThreads) {
  const auto work = [this](int salt) {
    Path path(gpu_);
    auto stream = GpuStream::create(gpu_, 2);
    const auto bytes = salted_pattern(kBytes, salt);
    if (!path.in->write(0, bytes).ok() || !path.queue(**stream).ok()) return false;
    const auto mark = (*stream)->mark();
    return mark.ok() && eventually([&] { return (*stream)->finished(*mark).value(); }) &&
           std::memcmp(path.out->range().data, bytes.data(), kBytes) == 0;
  };
  std::vector<std::future<bool>> threads;
  for (int i = 0; i < 6; ++i) threads.push_back(std::async(std::launch::async, work, i));
  for (auto& thread : threads) EXPECT_TRUE(thread.get());
}

}  // namespace
}  // namespace hawser
