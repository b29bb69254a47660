// GpuStream::copy_blocks, over the simulated and the real driver.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "cudasim/drivers.h"
#include "gpu/block_ring.h"
#include "gpu/gpu.h"
#include "memory/buffer.h"
#include "support/seed.h"

namespace hawser {
namespace {

constexpr std::size_t kPlaceBytes = 4 << 20;

// One end of the copies: its memory, and what must be in it in the end.
struct Place {
  explicit Place(Result<Buffer> made, std::mt19937_64& random)
      : buffer(std::move(*made)), expected(buffer.range().bytes) {
    for (auto& byte : expected) byte = static_cast<std::byte>(random());
    EXPECT_TRUE(buffer.write(0, expected).ok());
  }
  std::byte* at(std::size_t offset) const { return buffer.range().at(offset); }
  bool as_expected() const {
    std::vector<std::byte> bytes(expected.size());
    return buffer.read(0, bytes).ok() && bytes == expected;
  }

  Buffer buffer;
  std::vector<std::byte> expected;
};

// What is asked of a stream, and done to the destination's expected bytes.
class Batch {
 public:
  Batch(Place& to, const Place& from) : to_(to), from_(from) {}

  void add(std::size_t to, std::size_t from, std::size_t bytes) {
    blocks_.push_back({to_.at(to), from_.at(from), bytes});
    std::copy_n(from_.expected.begin() + static_cast<std::ptrdiff_t>(from), bytes,
                to_.expected.begin() + static_cast<std::ptrdiff_t>(to));
  }
  // Blocks one after the other in the destination, with gaps, from anywhere in the source.
  void add_random(std::size_t count, std::size_t most_bytes, std::mt19937_64& random) {
    std::size_t to = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t bytes = random() % (most_bytes + 1);
      to += random() % 40;
      if (to + bytes > to_.expected.size()) return;
      add(to, random() % (from_.expected.size() - bytes), bytes);
      to += bytes;
    }
  }
  const std::vector<BlockCopy>& blocks() const { return blocks_; }

 private:
  Place& to_;
  const Place& from_;
  std::vector<BlockCopy> blocks_;
};

class GpuBlocks : public GpuTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    if (gpu_ == nullptr || IsSkipped()) return;
    auto stream = GpuStream::create(gpu_, 8);
    ASSERT_TRUE(stream.ok()) << stream.error().message();
    stream_ = std::move(*stream);
  }
  Place pinned(std::size_t bytes = kPlaceBytes) {
    return Place(Buffer::pinned(gpu_, bytes), random_);
  }
  Place device(std::size_t bytes = kPlaceBytes) {
    return Place(Buffer::cuda(gpu_, bytes), random_);
  }
  void copy(const Batch& batch) {
    const auto status = stream_->copy_blocks(batch.blocks());
    ASSERT_TRUE(status.ok()) << status.error().message();
  }

  std::mt19937_64 random_{test::seed_of_this_run()};
  std::unique_ptr<GpuStream> stream_;
};
INSTANTIATE_TEST_SUITE_P(, GpuBlocks, gpu_drivers(), gpu_driver_name);

TEST_P(GpuBlocks, TheKernelCanBeLoaded) {
  const auto kernel = gpu_->block_kernel();
  ASSERT_TRUE(kernel.ok()) << kernel.error().message();
  EXPECT_EQ(*kernel, gpu_->block_kernel().value());
  EXPECT_TRUE(stream_->prepare_blocks().ok());
}

TEST_P(GpuBlocks, GathersScattersAndMovesWithinTheGpu) {
  const Place source = device();
  Place staging = pinned();
  Place middle = device();
  Place end = device();
  Batch gather(staging, source), scatter(middle, staging), move(end, middle);
  gather.add_random(1000, 4096, random_);
  scatter.add_random(1000, 4096, random_);
  move.add_random(1000, 4096, random_);
  for (const Batch* batch : {&gather, &scatter, &move}) copy(*batch);
  const auto mark = stream_->mark();
  ASSERT_TRUE(eventually([&] { return stream_->finished(*mark).value(); }));
  // What was gathered is there for the CPU as it is, without any call.
  EXPECT_TRUE(std::equal(staging.expected.begin(), staging.expected.end(), staging.at(0)));
  EXPECT_TRUE(middle.as_expected());
  EXPECT_TRUE(end.as_expected());
}

// All alignments of both ends against each other, and all lengths about those where the kernel
// does something else; the bytes around are left as they are.
TEST_P(GpuBlocks, AnyOffsetAndAnyLength) {
  const Place source = device();
  Place staging = pinned();
  Batch batch(staging, source);
  std::size_t to = 0;
  for (const std::size_t bytes : {0, 1, 2, 3, 15, 16, 17, 31, 33, 63, 64, 65, 79, 80, 96, 111, 113})
    for (std::size_t offset = 0; offset < 256; ++offset) {
      batch.add(to + offset % 16, 512 + offset / 16, bytes);
      to += (bytes / 16 + 2) * 16;
    }
  copy(batch);
  ASSERT_TRUE(stream_->synchronize().ok());
  EXPECT_TRUE(staging.as_expected());
}

TEST_P(GpuBlocks, LongBlocksAtAnyAlignment) {
  const Place staging = pinned();
  Place target = device();
  Batch batch(target, staging);
  std::size_t to = 0;
  for (const std::size_t bytes : {4096, 4097, 8191, 8192, 8193, 12345, 50001})
    for (std::size_t shift = 0; shift < 16; ++shift) {
      batch.add(to + shift * 3 % 16, shift * 1000 + shift, bytes);
      to += bytes / 16 * 16 + 48;
    }
  copy(batch);
  ASSERT_TRUE(stream_->synchronize().ok());
  EXPECT_TRUE(target.as_expected());
}

TEST_P(GpuBlocks, NothingAndFewAndLargeBlocks) {
  constexpr std::size_t kLarge = BlockRing::kLargeBlockBytes;
  const Place source = device(kLarge + 4096);
  Place staging = pinned(2 * kLarge + (2 << 20));
  EXPECT_TRUE(stream_->copy_blocks({}).ok());
  const std::vector<BlockCopy> nothing(100);
  EXPECT_TRUE(stream_->copy_blocks(nothing).ok());
  for (const std::size_t count : {1, 2, 3, 4, 5}) {
    Batch few(staging, source);
    for (std::size_t i = 0; i < count; ++i) few.add(count * 10000 + i * 1000, i * 3000 + 1, 999);
    copy(few);
  }
  Batch large(staging, source);
  large.add(1 << 20, 5, kLarge + 3);
  for (std::size_t i = 0; i < 10; ++i) large.add(100000 + i * 100, i, 99);
  large.add(kLarge + (2 << 20), 11, kLarge - 1);
  copy(large);
  ASSERT_TRUE(stream_->synchronize().ok());
  EXPECT_TRUE(staging.as_expected());
}

// Several times round the ring in one call, and in many.
TEST_P(GpuBlocks, MoreThanTheRingHolds) {
  constexpr std::size_t kBlock = 64;
  constexpr std::size_t kRingTiles = BlockRing::kSegments * BlockRing::kSegmentTiles;
  constexpr std::size_t kBlocks = 2 * kRingTiles + 777;
  const Place source = device(kBlocks * kBlock);
  Place staging = pinned(kBlocks * kBlock);
  Place target = device(kBlocks * kBlock);
  std::vector<std::size_t> order(kBlocks);
  for (std::size_t i = 0; i < kBlocks; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), random_);
  Batch gather(staging, source);
  for (std::size_t i = 0; i < kBlocks; ++i) gather.add(i * kBlock, order[i] * kBlock, kBlock);
  copy(gather);
  for (std::size_t i = 0; i < kBlocks;) {
    Batch scatter(target, staging);
    const std::size_t end = std::min<std::size_t>(kBlocks, i + 1 + random_() % 3000);
    for (; i < end; ++i) scatter.add(order[i] * kBlock, i * kBlock, kBlock);
    copy(scatter);
  }
  ASSERT_TRUE(stream_->synchronize().ok());
  EXPECT_TRUE(staging.as_expected());
  EXPECT_TRUE(target.as_expected());
}

// The same descriptors and the same staging memory, written anew by the CPU each time: neither
// must be remembered by the GPU.
TEST_P(GpuBlocks, SeesWhatTheCpuWroteSinceTheLastTime) {
  constexpr std::size_t kBlock = 1000;
  constexpr std::size_t kBlocks = 200;
  constexpr int kRounds = 300;
  Place staging = pinned(kBlocks * kBlock);
  Place target = device(kBlocks * kBlock);
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < staging.expected.size(); i += 97) {
      staging.expected[i] = static_cast<std::byte>(random_());
      *staging.at(i) = staging.expected[i];
    }
    Batch scatter(target, staging);
    for (std::size_t i = 0; i < kBlocks; ++i)
      scatter.add(i * kBlock, (i * 7 + static_cast<std::size_t>(round)) % kBlocks * kBlock, kBlock);
    copy(scatter);
    const auto mark = stream_->mark();
    ASSERT_TRUE(eventually([&] { return stream_->finished(*mark).value(); }));
    ASSERT_TRUE(target.as_expected()) << "round " << round;
  }
}

TEST_P(GpuBlocks, IsInOrderWithCopiesBeforeAndAfter) {
  const Place in = pinned();
  Place one = device();
  Place two = device();
  Place out = pinned();
  for (int round = 0; round < 20; ++round) {
    Batch whole(one, in), blocks(two, one), back(out, two);
    whole.add(0, 0, kPlaceBytes / 2);
    blocks.add_random(500, 8000, random_);
    back.add(100, 200, kPlaceBytes / 2);
    for (const Batch* batch : {&whole, &blocks, &back}) copy(*batch);
  }
  ASSERT_TRUE(stream_->synchronize().ok());
  EXPECT_TRUE(two.as_expected());
  EXPECT_TRUE(out.as_expected());
}

// A driver that cannot translate the kernel (in a container without its compiler, say).
TEST_P(GpuBlocks, CopiesOneByOneWhereTheKernelCannotBeLoaded) {
  auto driver = std::make_shared<CudaDriver>(*driver_);
  driver->cuModuleLoadData = [](CUmodule*, const void*) { return 221; };
  auto gpu = *Gpu::open(driver, 0);
  const auto kernel = gpu->block_kernel();
  ASSERT_FALSE(kernel.ok());
  EXPECT_THAT(kernel.error().message(),
              testing::HasSubstr("cuModuleLoadData: CUDA_ERROR_JIT_COMPILER_NOT_FOUND"));
  stream_ = *GpuStream::create(gpu, 1);
  EXPECT_TRUE(stream_->prepare_blocks().ok());
  const Place source = device();
  Place staging = pinned();
  Batch gather(staging, source);
  gather.add_random(300, 4096, random_);
  copy(gather);
  ASSERT_TRUE(stream_->synchronize().ok());
  EXPECT_TRUE(staging.as_expected());
}

TEST_P(GpuBlocks, ALaunchThatFailsIsAnErrorAndNotRepeated) {
  static int launches_left;
  static decltype(CudaDriver::cuLaunchKernel) launch;
  launches_left = 0;
  launch = driver_->cuLaunchKernel;
  auto driver = std::make_shared<CudaDriver>(*driver_);
  driver->cuLaunchKernel = [](CUfunction f, unsigned a, unsigned b, unsigned c, unsigned d,
                              unsigned e, unsigned g, unsigned h, CUstream s, void** v, void** x) {
    return launches_left-- > 0 ? launch(f, a, b, c, d, e, g, h, s, v, x) : 2;
  };
  stream_ = *GpuStream::create(*Gpu::open(driver, 0), 1);
  const Place source = device();
  Place staging = pinned();
  {
    Place unused = pinned();
    Batch refused(unused, source);
    refused.add_random(300, 4096, random_);
    const auto status = stream_->copy_blocks(refused.blocks());
    ASSERT_FALSE(status.ok());
    EXPECT_THAT(status.error().message(), testing::HasSubstr("cuLaunchKernel: CUDA_ERROR_OUT_OF"));
  }
  launches_left = 1;
  Batch gather(staging, source);
  gather.add_random(300, 4096, random_);
  copy(gather);
  ASSERT_TRUE(stream_->synchronize().ok());
  EXPECT_TRUE(staging.as_expected());
  stream_.reset();
}

}  // namespace
}  // namespace hawser
