// Gpu, list_gpus and is_device_pointer, over the simulated and the real driver.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <random>
#include <vector>

#include "cudasim/drivers.h"
#include "gpu/gpu.h"

namespace hawser {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

std::vector<std::byte> random_bytes(std::size_t bytes, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::byte> made(bytes);
  for (auto& byte : made) byte = static_cast<std::byte>(random());
  return made;
}

std::byte* at(void* memory, std::size_t offset) {
  return static_cast<std::byte*>(memory) + offset;
}

class GpuDevice : public GpuTest {};
INSTANTIATE_TEST_SUITE_P(, GpuDevice, gpu_drivers(), gpu_driver_name);

TEST_P(GpuDevice, IsListedWithItsProperties) {
  const auto gpus = list_gpus(*driver_);
  ASSERT_TRUE(gpus.ok()) << gpus.error().message();
  ASSERT_GE(gpus->size(), 1u);
  for (std::size_t i = 0; i < gpus->size(); ++i) {
    const GpuInfo& info = (*gpus)[i];
    EXPECT_EQ(info.ordinal, static_cast<int>(i));
    EXPECT_FALSE(info.name.empty());
    EXPECT_GE(info.memory_bytes, std::size_t{1} << 30);
    EXPECT_THAT(info.pci_bus_id, MatchesRegex("[0-9a-f]+:[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f].[0-7]"));
    EXPECT_EQ(info.compute_major == 0, simulated());
  }
}

TEST_P(GpuDevice, RefusesAnOrdinalThatIsNotThereAndNamesWhatIs) {
  const int count = static_cast<int>(list_gpus(*driver_)->size());
  for (const int ordinal : {-1, count, 1 << 30}) {
    const auto gpu = Gpu::open(driver_, ordinal);
    ASSERT_FALSE(gpu.ok());
    EXPECT_EQ(gpu.error().code(), Code::unavailable);
    EXPECT_THAT(gpu.error().message(), HasSubstr("no GPU " + std::to_string(ordinal)));
    EXPECT_THAT(gpu.error().message(), HasSubstr("GPU 0"));
  }
}

TEST_P(GpuDevice, CopiesAnySizeToAnyOffsetAndBack) {
  constexpr std::size_t kBytes = (1 << 20) + 8192;
  const auto memory = gpu_->allocate(kBytes);
  ASSERT_TRUE(memory.ok()) << memory.error().message();
  const auto background = random_bytes(kBytes, 1);
  ASSERT_TRUE(gpu_->copy_to_device(*memory, background.data(), kBytes).ok());
  auto expected = background;
  for (const std::size_t bytes : {0ul, 1ul, 63ul, 4097ul, (1ul << 20) + 3}) {
    const auto piece = random_bytes(bytes, 2);
    ASSERT_TRUE(gpu_->copy_to_device(at(*memory, 1001), piece.data(), bytes).ok());
    std::copy(piece.begin(), piece.end(), expected.begin() + 1001);
    std::vector<std::byte> back(kBytes);
    ASSERT_TRUE(gpu_->copy_to_host(back.data(), *memory, kBytes).ok());
    EXPECT_EQ(back, expected) << bytes;
  }
  EXPECT_TRUE(gpu_->free(*memory).ok());
}

TEST_P(GpuDevice, AnImpossibleAllocationNamesTheSizeAndTheGpu) {
  const auto memory = gpu_->allocate(std::size_t{1} << 50);
  ASSERT_FALSE(memory.ok());
  EXPECT_EQ(memory.error().code(), Code::system);
  EXPECT_THAT(memory.error().message(), HasSubstr("allocating 1125899906842624 bytes on GPU 0 ("));
  EXPECT_THAT(memory.error().message(), HasSubstr("CUDA_ERROR_OUT_OF_MEMORY"));
}

TEST_P(GpuDevice, PinnedMemoryIsForCpuAndGpu) {
  const auto pinned = gpu_->allocate_pinned(10000);
  ASSERT_TRUE(pinned.ok());
  const auto device = gpu_->allocate(10000);
  const auto bytes = random_bytes(10000, 3);
  std::copy(bytes.begin(), bytes.end(), at(*pinned, 0));
  ASSERT_TRUE(gpu_->copy_to_device(*device, *pinned, 10000).ok());
  std::fill(at(*pinned, 0), at(*pinned, 10000), std::byte{0});
  ASSERT_TRUE(gpu_->copy_to_host(*pinned, *device, 10000).ok());
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), at(*pinned, 0)));
  EXPECT_TRUE(gpu_->free_pinned(*pinned).ok());
  EXPECT_TRUE(gpu_->free(*device).ok());
}

TEST_P(GpuDevice, TellsDevicePointersFromHostPointers) {
  const auto device = gpu_->allocate(4096);
  const auto pinned = gpu_->allocate_pinned(4096);
  int on_the_stack = 0;
  EXPECT_TRUE(is_device_pointer(*driver_, *device));
  EXPECT_TRUE(is_device_pointer(*driver_, at(*device, 4095)));
  EXPECT_FALSE(is_device_pointer(*driver_, *pinned));
  EXPECT_FALSE(is_device_pointer(*driver_, &on_the_stack));
  EXPECT_FALSE(is_device_pointer(*driver_, nullptr));
  // Also where the calling thread has no current context.
  EXPECT_TRUE(
      std::async(std::launch::async, [&] { return is_device_pointer(*driver_, *device); }).get());
  EXPECT_TRUE(gpu_->free(*device).ok());
  EXPECT_TRUE(gpu_->free_pinned(*pinned).ok());
}

TEST_P(GpuDevice, TellsWhoseMemoryItIs) {
  const auto device = gpu_->allocate(4096);
  const auto pinned = gpu_->allocate_pinned(4096);
  int on_the_stack = 0;
  EXPECT_EQ(gpu_of_pointer(*driver_, at(*device, 4095)), 0);
  EXPECT_EQ(gpu_of_pointer(*driver_, *pinned), std::nullopt);
  EXPECT_EQ(gpu_of_pointer(*driver_, &on_the_stack), std::nullopt);
  EXPECT_EQ(gpu_of_pointer(*driver_, nullptr), std::nullopt);
  const int last = static_cast<int>(list_gpus(*driver_)->size()) - 1;
  const auto other = *Gpu::open(driver_, last);
  const auto others = other->allocate(4096);
  EXPECT_EQ(gpu_of_pointer(*driver_, *others), last);
  EXPECT_TRUE(other->free(*others).ok());
  EXPECT_TRUE(gpu_->free(*device).ok());
  EXPECT_TRUE(gpu_->free_pinned(*pinned).ok());
}

TEST_P(GpuDevice, IsUsableFromManyThreadsThatHaveNoContext) {
  const auto work = [this](unsigned seed) {
    const auto bytes = random_bytes(70000, seed);
    const auto memory = gpu_->allocate(bytes.size());
    if (!memory.ok() || !gpu_->copy_to_device(*memory, bytes.data(), bytes.size()).ok())
      return false;
    std::vector<std::byte> back(bytes.size());
    const bool copied = gpu_->copy_to_host(back.data(), *memory, back.size()).ok();
    return gpu_->free(*memory).ok() && copied && back == bytes;
  };
  std::vector<std::future<bool>> threads;
  for (unsigned i = 0; i < 8; ++i) threads.push_back(std::async(std::launch::async, work, i));
  for (auto& thread : threads) EXPECT_TRUE(thread.get());
}

TEST_P(GpuDevice, MayBeOpenedTwice) {
  auto second = Gpu::open(driver_, 0);
  ASSERT_TRUE(second.ok());
  const auto memory = (*second)->allocate(64);
  second->reset();  // the first still holds the primary context, and with it the memory
  EXPECT_TRUE(gpu_->free(*memory).ok());
}

}  // namespace
}  // namespace hawser
