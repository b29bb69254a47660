// Unpacker: fragments of a bounce pool put in place in every mode, over the simulated and the real
// driver.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "cudasim/drivers.h"
#include "memory/buffer.h"
#include "net/unpack/unpacker.h"
#include "support/seed.h"

namespace hawser {
namespace {

using testing::HasSubstr;

constexpr std::size_t kReceiveBytes = 64 * 1024;
constexpr std::size_t kPages = 2048;
constexpr std::size_t kWindow = 16;
constexpr std::size_t kReceives = 20;  // more than one launch takes

// Descriptors where a plugin leaves them: in pinned memory.
class Pool {
 public:
  Pool(Result<Buffer> pages, Result<Buffer> lists, std::mt19937_64& random)
      : pages_(std::move(*pages)),
        lists_(std::move(*lists)),
        bytes_(pages_.range().bytes),
        random_(random) {
    for (auto& byte : bytes_) byte = static_cast<std::byte>(random_());
    EXPECT_TRUE(pages_.write(0, bytes_).ok());
  }

  // A receive in pieces of at most `most` bytes, each anywhere in a page, listed in any order;
  // what must come of it goes to `expected`.
  Fragments cut(std::size_t receive, std::size_t bytes, std::size_t most, std::byte* expected) {
    auto* const list = reinterpret_cast<Fragment*>(lists_.range().at(receive * kListBytes));
    std::size_t count = 0;
    for (std::size_t done = 0; done < bytes; ++count) {
      const std::size_t piece = std::min(bytes - done, 1 + random_() % most);
      const std::size_t shift = random_() % (kPageBytes - piece + 1);
      const std::size_t from = (next_page_++ % kPages) * kPageBytes + shift;
      list[count] = {static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(piece), done};
      std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(from), piece, expected + done);
      done += piece;
    }
    std::shuffle(list, list + count, random_);
    const MemoryRange& range = pages_.range();
    return {range.at(0), range.kind, range.bytes, {list, count}};
  }

  static constexpr std::size_t kListBytes = 2048 * sizeof(Fragment);

 private:
  Buffer pages_;
  Buffer lists_;
  std::vector<std::byte> bytes_;
  std::mt19937_64& random_;
  std::size_t next_page_ = 0;
};

std::vector<std::byte> bytes_of(const Buffer& buffer) {
  std::vector<std::byte> bytes(buffer.range().bytes);
  EXPECT_TRUE(buffer.read(0, bytes).ok());
  return bytes;
}

class Unpackers : public GpuTest {
 protected:
  Pool make_pool(MemoryKind kind) {
    const std::size_t bytes = kPages * kPageBytes;
    return Pool(kind == MemoryKind::cuda ? Buffer::cuda(gpu_, bytes) : Buffer::host(bytes),
                Buffer::pinned(gpu_, kReceives * Pool::kListBytes), random_);
  }
  std::unique_ptr<Unpacker> make(UnpackMode mode) {
    auto made = Unpacker::create({mode, use_}, gpu_, kReceiveBytes, kWindow);
    EXPECT_TRUE(made.ok()) << made.error().message();
    return std::move(*made);
  }
  // All of them at once; at the end every byte is where it belongs, and nothing else.
  void unpack_all(UnpackMode mode, MemoryKind pool_kind, Buffer to, Reach reach,
                  std::size_t most_piece) {
    Pool pool = make_pool(pool_kind);
    const auto unpacker = make(mode);
    std::vector<std::byte> expected(to.range().bytes, std::byte{0x5a});
    ASSERT_TRUE(to.write(0, expected).ok());
    std::vector<std::uint64_t> marks;
    for (std::size_t i = 0; i < kReceives; ++i) {
      const std::size_t at = i * 2 * kReceiveBytes + i % 16;
      const std::size_t bytes = i == 3 ? 1 : kReceiveBytes - random_() % 100;
      const Fragments fragments = pool.cut(i, bytes, most_piece, expected.data() + at);
      const auto added = unpacker->add(fragments, {to.range().at(at), bytes, reach});
      ASSERT_TRUE(added.ok()) << added.error().message();
      if (i % 10 == 9) {
        const auto mark = unpacker->submit();
        ASSERT_TRUE(mark.ok()) << mark.error().message();
        // The mode host has a slot for each of a window.
        ASSERT_TRUE(eventually([&] { return unpacker->finished(*mark).value(); }));
      }
    }
    EXPECT_TRUE(bytes_of(to) == expected);
  }
  Buffer device() { return std::move(*Buffer::cuda(gpu_, (2 * kReceives + 1) * kReceiveBytes)); }
  Buffer pinned() { return std::move(*Buffer::pinned(gpu_, (2 * kReceives + 1) * kReceiveBytes)); }

  std::mt19937_64 random_{test::seed_of_this_run()};
  std::shared_ptr<UnpackUse> use_ = std::make_shared<UnpackUse>();
};
INSTANTIATE_TEST_SUITE_P(, Unpackers, gpu_drivers(), gpu_driver_name);

TEST_P(Unpackers, TheKernelTakesAnyOffsetAndLength) {
  unpack_all(UnpackMode::kernel, MemoryKind::cuda, device(), Reach::gpu, 700);
  EXPECT_EQ(use_->text(), "kernel");
  EXPECT_GT(use_->bytes(UnpackMode::kernel), (kReceives - 1) * (kReceiveBytes - 100));
}

TEST_P(Unpackers, TheKernelWritesPinnedMemory) {
  unpack_all(UnpackMode::automatic, MemoryKind::cuda, pinned(), Reach::pinned, 4096);
  EXPECT_EQ(use_->text(), "kernel");
}

// A launch takes longer than a copy or two.
TEST_P(Unpackers, AFewFragmentsAreCopiedAndMoreTogetherAreTheKernels) {
  Pool pool = make_pool(MemoryKind::cuda);
  const auto unpacker = make(UnpackMode::automatic);
  Buffer to = pinned();
  std::vector<std::byte> expected(to.range().bytes, std::byte{0x5a});
  ASSERT_TRUE(to.write(0, expected).ok());
  const auto unpack_frames = [&](std::size_t first, std::size_t end) {
    for (std::size_t i = first; i < end; ++i) {
      const std::size_t at = i * kPageBytes;
      const Fragments frame = pool.cut(i, 1, 1, expected.data() + at);
      ASSERT_TRUE(unpacker->add(frame, {to.range().at(at), 1, Reach::pinned}).ok());
    }
    const auto mark = unpacker->submit();
    ASSERT_TRUE(mark.ok()) << mark.error().message();
    ASSERT_TRUE(eventually([&] { return unpacker->finished(*mark).value(); }));
  };
  unpack_frames(0, 1);
  unpack_frames(1, 3);
  EXPECT_EQ(use_->text(), "d2d");
  unpack_frames(3, 7);
  EXPECT_EQ(use_->bytes(UnpackMode::kernel), 4U);
  EXPECT_EQ(use_->bytes(UnpackMode::d2d), 3U);
  EXPECT_TRUE(bytes_of(to) == expected);
}

TEST_P(Unpackers, CopiesOneByOne) {
  unpack_all(UnpackMode::d2d, MemoryKind::cuda, device(), Reach::gpu, 4096);
  EXPECT_EQ(use_->text(), "d2d");
}

TEST_P(Unpackers, GoesThroughTheHost) {
  unpack_all(UnpackMode::host, MemoryKind::cuda, device(), Reach::gpu, 4096);
  EXPECT_EQ(use_->text(), "host");
}

TEST_P(Unpackers, APoolInHostMemoryIsUnpackedByTheCpu) {
  unpack_all(UnpackMode::automatic, MemoryKind::host, device(), Reach::gpu, 4096);
  unpack_all(UnpackMode::host, MemoryKind::host, pinned(), Reach::pageable, 300);
  EXPECT_EQ(use_->text(), "host");
}

TEST_P(Unpackers, MemoryThatTheKernelCannotWriteIsCopiedTo) {
  unpack_all(UnpackMode::automatic, MemoryKind::cuda,
             std::move(*Buffer::host((2 * kReceives + 1) * kReceiveBytes)), Reach::pageable, 4096);
  EXPECT_EQ(use_->text(), "d2d");
}

// A kernel that reads what it cannot reach is a fault that loses all there is on the GPU.
TEST_P(Unpackers, WhatTheKernelCannotReadIsCopied) {
  Pool pool = make_pool(MemoryKind::cuda);
  Buffer to = device();
  std::vector<std::byte> expected(kReceiveBytes);
  Fragments fragments = pool.cut(0, 5000, 4096, expected.data());
  const std::vector<Fragment> pageable(fragments.list.begin(), fragments.list.end());
  const auto unpacker = make(UnpackMode::automatic);
  fragments.list = pageable;
  fragments.gpu_reads_list = false;
  ASSERT_TRUE(unpacker->add(fragments, {to.range().at(0), 5000, Reach::gpu}).ok());
  fragments.gpu_reads_list = true;
  fragments.bounce_gpu = 1;
  ASSERT_TRUE(unpacker->add(fragments, {to.range().at(8192), 5000, Reach::gpu}).ok());
  const auto mark = unpacker->submit();
  ASSERT_TRUE(mark.ok());
  ASSERT_TRUE(eventually([&] { return unpacker->finished(*mark).value(); }));
  EXPECT_EQ(use_->text(), "d2d");
  const auto got = bytes_of(to);
  EXPECT_EQ(std::memcmp(got.data(), expected.data(), 5000), 0);
  EXPECT_EQ(std::memcmp(got.data() + 8192, expected.data(), 5000), 0);
}

TEST_P(Unpackers, FragmentsLongerThanATileAreShared) {
  const Buffer pages = std::move(*Buffer::cuda(gpu_, kReceiveBytes + 64));
  Buffer lists = std::move(*Buffer::pinned(gpu_, kPageBytes));
  Buffer to = device();
  std::vector<std::byte> bytes(pages.range().bytes);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random_());
  Buffer source = std::move(*Buffer::cuda(gpu_, bytes.size()));
  ASSERT_TRUE(source.write(0, bytes).ok());
  auto* const list = reinterpret_cast<Fragment*>(lists.range().data);
  list[0] = {3, 40001, 0};
  list[1] = {3 + 40001, kReceiveBytes - 40001, 40001};
  const auto unpacker = make(UnpackMode::kernel);
  const Fragments fragments{source.range().at(0), MemoryKind::cuda, bytes.size(), {list, 2}};
  ASSERT_TRUE(unpacker->add(fragments, {to.range().at(0), kReceiveBytes, Reach::gpu}).ok());
  const auto mark = unpacker->submit();
  ASSERT_TRUE(mark.ok());
  ASSERT_TRUE(eventually([&] { return unpacker->finished(*mark).value(); }));
  const auto got = bytes_of(to);
  EXPECT_EQ(std::memcmp(got.data(), bytes.data() + 3, kReceiveBytes), 0);
}

TEST_P(Unpackers, NothingIsPutAnywhereByTheModeNone) {
  Pool pool = make_pool(MemoryKind::cuda);
  Buffer to = device();
  const std::vector<std::byte> before = bytes_of(to);
  std::vector<std::byte> unused(kReceiveBytes);
  const auto unpacker = make(UnpackMode::none);
  const Fragments fragments = pool.cut(0, 5000, 4096, unused.data());
  ASSERT_TRUE(unpacker->add(fragments, {to.range().at(0), 5000, Reach::gpu}).ok());
  EXPECT_EQ(unpacker->submit().value(), 0U);
  EXPECT_TRUE(bytes_of(to) == before);
  EXPECT_EQ(use_->text(), "none");
}

TEST_P(Unpackers, WhatAPluginClaimsIsChecked) {
  Pool pool = make_pool(MemoryKind::cuda);
  Buffer to = device();
  std::vector<std::byte> unused(kReceiveBytes);
  const auto unpacker = make(UnpackMode::automatic);
  Fragments fragments = pool.cut(0, 5000, 4096, unused.data());
  auto* const list = const_cast<Fragment*>(fragments.list.data());
  const Unpacker::Place place{to.range().at(0), 5000, Reach::gpu};
  const Fragment good = list[0];
  const auto refusal = [&](const Fragment& bad) {
    list[0] = bad;
    const auto added = unpacker->add(fragments, place);
    list[0] = good;
    return added.ok() ? Error(Code::internal, "taken") : added.error();
  };
  EXPECT_EQ(refusal({0, good.bytes, 5001}).code(), Code::plugin);
  EXPECT_EQ(refusal({0, good.bytes, ~std::uint64_t{0}}).code(), Code::plugin);
  EXPECT_EQ(refusal({kPages * kPageBytes, good.bytes, good.destination_offset}).code(),
            Code::plugin);
  EXPECT_EQ(refusal({~std::uint32_t{0}, good.bytes, good.destination_offset}).code(), Code::plugin);
  const Error fewer = refusal({good.source_offset, good.bytes - 1, good.destination_offset});
  EXPECT_EQ(fewer.code(), Code::data);
  EXPECT_THAT(fewer.message(), HasSubstr("4999 bytes came for a receive of 5000"));
  EXPECT_TRUE(unpacker->add(fragments, place).ok());
}

TEST_P(Unpackers, AKernelThatCannotBeLoadedIsAnErrorOnlyWhereItWasAskedFor) {
  auto driver = std::make_shared<CudaDriver>(*driver_);
  driver->cuModuleLoadData = [](CUmodule*, const void*) { return 221; };
  const auto gpu = *Gpu::open(driver, 0);
  Pool pool = make_pool(MemoryKind::cuda);
  Buffer to = device();
  std::vector<std::byte> unused(kReceiveBytes);
  const Fragments fragments = pool.cut(0, 5000, 4096, unused.data());
  const Unpacker::Place place{to.range().at(0), 5000, Reach::gpu};
  const auto refused = Unpacker::create({UnpackMode::kernel, use_}, gpu, kReceiveBytes, kWindow);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("CUDA_ERROR_JIT_COMPILER_NOT_FOUND"));
  const auto automatic =
      *Unpacker::create({UnpackMode::automatic, use_}, gpu, kReceiveBytes, kWindow);
  ASSERT_TRUE(automatic->add(fragments, place).ok());
  ASSERT_TRUE(automatic->submit().ok());
  EXPECT_EQ(use_->text(), "d2d");
}

// A GPU that keeps no order of others' writes (attribute 118), and flushes for the host (117).
TEST(Unpacker, FlushesOthersWritesOnceBeforeEachBatchWhereTheGpuDoesNotOrderThem) {
  static int flushes;
  flushes = 0;
  const auto loaded = load_cudasim();
  ASSERT_TRUE(loaded.ok()) << loaded.error().message();
  static const CudaDriver* original;
  original = loaded->get();
  auto driver = std::make_shared<CudaDriver>(**loaded);
  driver->cuDeviceGetAttribute = [](int* value, int attribute, CUdevice device) {
    if (attribute == 118) return *value = 0, 0;
    if (attribute == 117) return *value = 1, 0;
    return original->cuDeviceGetAttribute(value, attribute, device);
  };
  driver->cuFlushGPUDirectRDMAWrites = [](int, int) { return ++flushes, 0; };
  const auto gpu = *Gpu::open(driver, 0);
  EXPECT_TRUE(gpu->info().flushes_remote_writes);
  Buffer lists = std::move(*Buffer::pinned(gpu, kPageBytes));
  const Buffer source = std::move(*Buffer::cuda(gpu, kPageBytes));
  Buffer to = std::move(*Buffer::cuda(gpu, kPageBytes));
  auto* const list = reinterpret_cast<Fragment*>(lists.range().data);
  list[0] = {0, 100, 0};
  const auto unpacker = *Unpacker::create({}, gpu, kReceiveBytes, kWindow);
  const Fragments fragments{source.range().at(0), MemoryKind::cuda, kPageBytes, {list, 1}};
  for (int batch = 1; batch <= 3; ++batch) {
    for (std::size_t i = 0; i < 4; ++i)
      ASSERT_TRUE(unpacker->add(fragments, {to.range().at(i * 100), 100, Reach::gpu}).ok());
    ASSERT_TRUE(unpacker->submit().ok());
    EXPECT_EQ(flushes, batch);
  }
  EXPECT_FALSE((*Gpu::open(*loaded, 0))->info().flushes_remote_writes);
}

// The GPU reads when it likes; the pages may go back only after the mark.
TEST(Unpacker, IsFinishedNoSoonerThanTheGpuIs) {
  const auto driver = load_cudasim();
  ASSERT_TRUE(driver.ok()) << driver.error().message();
  const auto gpu = *Gpu::open(*driver, 0);
  Buffer lists = std::move(*Buffer::pinned(gpu, kPageBytes));
  const Buffer source = std::move(*Buffer::cuda(gpu, kPageBytes));
  Buffer to = std::move(*Buffer::cuda(gpu, kPageBytes));
  auto* const list = reinterpret_cast<Fragment*>(lists.range().data);
  list[0] = {0, 100, 0};
  const auto unpacker = *Unpacker::create({}, gpu, kReceiveBytes, kWindow);
  CudasimHold hold;
  const Fragments fragments{source.range().at(0), MemoryKind::cuda, kPageBytes, {list, 1}};
  ASSERT_TRUE(unpacker->add(fragments, {to.range().at(0), 100, Reach::gpu}).ok());
  const auto mark = unpacker->submit();
  ASSERT_TRUE(mark.ok());
  EXPECT_FALSE(unpacker->finished(*mark).value());
  hold.let_go();
  EXPECT_TRUE(eventually([&] { return unpacker->finished(*mark).value(); }));
}

TEST(Unpacker, SaysWhatItWantsOfAUser) {
  const auto kernel = Unpacker::create({UnpackMode::kernel, nullptr}, nullptr, 4096, 16);
  ASSERT_FALSE(kernel.ok());
  EXPECT_EQ(kernel.error().code(), Code::unavailable);
  EXPECT_THAT(kernel.error().message(), HasSubstr("the unpack mode kernel wants a GPU"));
  const auto unknown = parse_unpack_mode("fast");
  ASSERT_FALSE(unknown.ok());
  EXPECT_THAT(unknown.error().message(), HasSubstr("auto, kernel, d2d, host or none"));
  EXPECT_EQ(parse_unpack_mode("d2d").value(), UnpackMode::d2d);
}

TEST(Unpacker, AModeForTheGpuIsRefusedWhereThePoolIsTheHosts) {
  const auto driver = load_cudasim();
  const auto gpu = *Gpu::open(*driver, 0);
  std::vector<std::byte> pool(kPageBytes), to(kPageBytes);
  const Fragment fragment{0, 100, 0};
  const auto unpacker = *Unpacker::create({UnpackMode::d2d, nullptr}, gpu, 4096, 16);
  const auto added = unpacker->add({pool.data(), MemoryKind::host, 0, {&fragment, 1}},
                                     {to.data(), 100, Reach::pageable});
  ASSERT_FALSE(added.ok());
  EXPECT_THAT(added.error().message(), HasSubstr("choose auto or host"));
}

}  // namespace
}  // namespace hawser
