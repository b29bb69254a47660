// What only the simulated driver can show: faults, waiting that cannot be timed on a real
// GPU, and leaks. Some of these test the simulation itself: that it is as strict as it says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <future>
#include <vector>

#include "cudasim/drivers.h"
#include "memory/buffer.h"
#include "memory/copy_queue.h"

namespace hawser {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class SimulatedGpu : public testing::Test {
 protected:
  void SetUp() override {
    auto driver = load_cudasim();
    ASSERT_TRUE(driver.ok()) << driver.error().message();
    driver_ = *driver;
    gpu_ = *Gpu::open(driver_, 0);
  }

  std::unique_ptr<CopyQueue> make_queue(int max_marks, std::shared_ptr<Gpu> gpu = nullptr) {
    auto queue = make_gpu_copy_queue(gpu ? gpu : gpu_, max_marks);
    EXPECT_TRUE(queue.ok());
    return std::move(*queue);
  }

  std::shared_ptr<const CudaDriver> driver_;
  std::shared_ptr<Gpu> gpu_;
};

TEST_F(SimulatedGpu, SaysThatItIsSimulated) {
  EXPECT_EQ(gpu_->info().name, "Simulated GPU (host memory, no CUDA)");
  EXPECT_EQ(list_gpus(*driver_)->size(), static_cast<std::size_t>(kSimulatedGpus));
  EXPECT_EQ(gpu_->info().pci_bus_id, "ffff:00:00.0");
  EXPECT_TRUE(gpu_->info().dma_buf);
}

TEST_F(SimulatedGpu, DeviceMemoryCannotBeTouchedByTheCpu) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto buffer = Buffer::cuda(gpu_, 4096);
  EXPECT_DEATH(*static_cast<volatile char*>(buffer->range().data) = 1, "");
}

TEST_F(SimulatedGpu, DeviceMemoryIsNeitherZeroNorOnAPage) {
  const auto memory = gpu_->allocate(64);
  EXPECT_NE(reinterpret_cast<std::uintptr_t>(*memory) % kPageBytes, 0u);
  unsigned char bytes[64] = {};
  ASSERT_TRUE(gpu_->copy_to_host(bytes, *memory, sizeof bytes).ok());
  EXPECT_EQ(bytes[63], 0xA5);
  EXPECT_TRUE(gpu_->free(*memory).ok());
}

TEST_F(SimulatedGpu, LargeAllocationsHaveLargePages) {
  constexpr std::size_t kLargePage = 2 << 20;
  std::vector<void*> all;
  for (const std::size_t bytes : {std::size_t{100}, std::size_t{1} << 20, std::size_t{5000},
                                  (std::size_t{3} << 20) + 1, std::size_t{100}}) {
    all.push_back(*gpu_->allocate(bytes));
    const auto address = reinterpret_cast<std::uintptr_t>(all.back());
    EXPECT_EQ(address % kLargePage == 0, bytes >= 1 << 20) << bytes;
    EXPECT_EQ(address % 512, 0u) << bytes;
  }
  for (void* const memory : all) EXPECT_TRUE(gpu_->free(memory).ok());
}

// cuMemGetHandleForAddressRange, as a dma-buf: its result; the descriptor is closed.
class SimulatedExport : public SimulatedGpu {
 protected:
  void SetUp() override {
    SimulatedGpu::SetUp();
    ASSERT_TRUE(gpu_->make_current().ok());
  }
  static int make_dma_buf(std::uintptr_t address, std::size_t bytes) {
    using Call = int(void*, CUdeviceptr, std::size_t, int, unsigned long long);
    int fd = -1;
    const int result = cudasim_function<Call>("cuMemGetHandleForAddressRange")(
        &fd, static_cast<CUdeviceptr>(address), bytes, 1, 0);
    EXPECT_EQ(fd >= 0, result == 0);
    if (fd >= 0) close(fd);
    return result;
  }
};

TEST_F(SimulatedExport, WantsWholePagesOfOneAllocation) {
  constexpr std::size_t kBytes = (2 << 20) + 5000;
  const auto memory = gpu_->allocate(kBytes);
  const auto address = reinterpret_cast<std::uintptr_t>(*memory);
  EXPECT_EQ(make_dma_buf(address, kPageBytes), 0);
  EXPECT_EQ(make_dma_buf(address + kPageBytes, 2 << 20), 0);
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{4097}, kBytes})
    EXPECT_EQ(make_dma_buf(address, bytes), 1) << bytes;
  EXPECT_EQ(make_dma_buf(address + 512, kPageBytes), 1);
  // Its last page is its own, though cuMemGetAddressRange tells of 5000 bytes there.
  EXPECT_EQ(make_dma_buf(address + (2 << 20), 2 * kPageBytes), 0);
  EXPECT_EQ(make_dma_buf(address + (2 << 20), 3 * kPageBytes), 1);
  std::size_t told = 0;
  EXPECT_EQ(driver_->cuMemGetAddressRange(nullptr, &told, static_cast<CUdeviceptr>(address)), 0);
  EXPECT_EQ(told, kBytes);
  EXPECT_TRUE(gpu_->free(*memory).ok());
  EXPECT_EQ(make_dma_buf(address, kPageBytes), 1);
}

TEST_F(SimulatedExport, ReservedAddressesAreNoMemory) {
  using Call = int(CUdeviceptr*, std::size_t, std::size_t, CUdeviceptr, unsigned long long);
  CUdeviceptr nothing = 0;
  ASSERT_EQ(cudasim_function<Call>("cuMemAddressReserve")(&nothing, 4 << 20, 0, 0, 0), 0);
  auto* const address = reinterpret_cast<void*>(static_cast<std::uintptr_t>(nothing));
  EXPECT_FALSE(is_device_pointer(*driver_, address));
  char byte = 0;
  EXPECT_FALSE(gpu_->copy_to_host(&byte, address, 1).ok());
  EXPECT_EQ(make_dma_buf(static_cast<std::uintptr_t>(nothing), kPageBytes), 1);
}

TEST_F(SimulatedGpu, EveryInitFailureIsUnavailableWithCauseAndRemedy) {
  struct Case {
    int result;
    const char* cause;
    const char* remedy;
  };
  const auto set_result = cudasim_function<void(int)>("hawser_cudasim_set_init_result");
  for (const auto& [result, cause, remedy] :
       {Case{34, "CUDA_ERROR_STUB_LIBRARY", "LD_LIBRARY_PATH"},
        Case{100, "CUDA_ERROR_NO_DEVICE", "CUDA_VISIBLE_DEVICES"},
        Case{304, "CUDA_ERROR_OPERATING_SYSTEM", "/dev/nvidia"},
        Case{802, "CUDA_ERROR_SYSTEM_NOT_READY", "fabricmanager"},
        Case{803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "reboot"},
        Case{999, "CUDA_ERROR_UNKNOWN", "nvidia-smi"}, Case{777, "CUDA error 777", "nvidia-smi"}}) {
    set_result(result);
    const auto driver = CudaDriver::load(cudasim_path());
    set_result(0);
    ASSERT_FALSE(driver.ok()) << result;
    EXPECT_EQ(driver.error().code(), Code::unavailable);
    EXPECT_THAT(driver.error().message(),
                AllOf(HasSubstr("no usable CUDA driver: " + cudasim_path() + ": cuInit: "),
                      HasSubstr(cause), HasSubstr(remedy)));
  }
}

TEST_F(SimulatedGpu, AThreadWithoutAContextIsRefusedByTheDriver) {
  const auto call = [this] {
    CUdeviceptr memory = 0;
    return driver_->cuMemAlloc(&memory, 64);
  };
  EXPECT_EQ(std::async(std::launch::async, call).get(), 201);
}

TEST_F(SimulatedGpu, RefusesFreesOfWhatIsNoAllocation) {
  const auto memory = gpu_->allocate(4096);
  const auto interior = gpu_->free(static_cast<std::byte*>(*memory) + 512);
  ASSERT_FALSE(interior.ok());
  EXPECT_EQ(interior.error().message(), "cuMemFree: CUDA_ERROR_INVALID_VALUE (invalid argument)");
  EXPECT_TRUE(gpu_->free(*memory).ok());
  EXPECT_FALSE(gpu_->free(*memory).ok());
  EXPECT_FALSE(is_device_pointer(*driver_, *memory));
}

TEST_F(SimulatedGpu, RefusesCopiesToFreedMemory) {
  const auto memory = gpu_->allocate(4096);
  ASSERT_TRUE(gpu_->free(*memory).ok());
  EXPECT_FALSE(gpu_->copy_to_device(*memory, "x", 1).ok());
}

// Not for a real GPU: the error might come late, and spoil the context for later tests.
TEST_F(SimulatedGpu, RefusesACopyThatLeavesItsAllocation) {
  const auto memory = gpu_->allocate(4096);
  const std::vector<std::byte> bytes(4097);
  EXPECT_TRUE(gpu_->copy_to_device(*memory, bytes.data(), 4096).ok());
  EXPECT_FALSE(gpu_->copy_to_device(*memory, bytes.data(), 4097).ok());
  EXPECT_FALSE(make_queue(1)->copy(*memory, bytes.data(), 4097).ok());
  EXPECT_TRUE(gpu_->free(*memory).ok());
}

// cuMemcpy from pageable memory returns early; copy_to_device must not.
TEST_F(SimulatedGpu, ASynchronousCopyLeavesNothingUnfinished) {
  const auto set_delay = cudasim_function<void(unsigned)>("hawser_cudasim_set_copy_delay_us");
  const auto query = cudasim_function<CUresult(CUstream)>("cuStreamQuery");
  auto buffer = Buffer::cuda(gpu_, 64);
  std::vector<std::byte> bytes(64);
  set_delay(50'000);
  const auto raw = driver_->cuMemcpy(device_address(buffer->range().data),
                                     device_address(bytes.data()), bytes.size());
  EXPECT_EQ(raw, kCudaSuccess);
  EXPECT_EQ(query(nullptr), kCudaNotReady);
  EXPECT_TRUE(buffer->write(0, bytes).ok());
  EXPECT_EQ(query(nullptr), kCudaSuccess);
  set_delay(0);
}

TEST_F(SimulatedGpu, AMarkIsUnfinishedWhileItsCopyIs) {
  auto pinned = Buffer::pinned(gpu_, 4096);
  auto device = Buffer::cuda(gpu_, 4096);
  auto queue = make_queue(2);
  ASSERT_TRUE(pinned->write(0, std::vector(4096, std::byte{1})).ok());
  CudasimHold hold;
  ASSERT_TRUE(queue->copy(device->range().data, pinned->range().data, 4096).ok());
  ASSERT_EQ(queue->mark().value(), 1u);
  EXPECT_FALSE(queue->finished(1).value());
  // The source is read when the copy runs: it is not ours until the mark is finished.
  ASSERT_TRUE(pinned->write(0, std::vector(4096, std::byte{2})).ok());
  hold.let_go();
  ASSERT_TRUE(eventually([&] { return queue->finished(1).value(); }));
  std::vector<std::byte> back(4096);
  ASSERT_TRUE(device->read(0, back).ok());
  EXPECT_EQ(back, std::vector(4096, std::byte{2}));
}

TEST_F(SimulatedGpu, OneMarkTooManyIsRefusedUntilTheOldestIsFinished) {
  auto pinned = Buffer::pinned(gpu_, 64);
  auto device = Buffer::cuda(gpu_, 64);
  auto made = GpuStream::create(gpu_, 2);
  GpuStream* const stream = made->get();
  CudasimHold hold;
  ASSERT_TRUE(stream->copy(device->range().data, pinned->range().data, 64).ok());
  ASSERT_TRUE(stream->mark().ok());
  ASSERT_TRUE(stream->mark().ok());
  const auto third = stream->mark();
  ASSERT_FALSE(third.ok());
  EXPECT_EQ(third.error().code(), Code::invalid_argument);
  EXPECT_THAT(third.error().message(), HasSubstr("2 marks"));
  hold.let_go();
  ASSERT_TRUE(eventually([&] { return stream->finished(1).value(); }));
  EXPECT_EQ(stream->mark().value(), 3u);
}

TEST_F(SimulatedGpu, FreeingMemoryWaitsForTheCopiesOnIt) {
  auto pinned = Buffer::pinned(gpu_, 1 << 20);
  auto queue = make_queue(1);
  for (int round = 0; round < 50; ++round) {
    auto device = Buffer::cuda(gpu_, 1 << 20);
    ASSERT_TRUE(queue->copy(device->range().data, pinned->range().data, 1 << 20).ok());
  }
}

TEST_F(SimulatedGpu, EverythingMadeIsGivenBack) {
  gpu_.reset();
  const auto before = cudasim_counts();
  {
    auto gpu = *Gpu::open(driver_, 1);
    auto device = Buffer::cuda(gpu, 10000);
    auto pinned = Buffer::pinned(gpu, 10000);
    auto queue = make_queue(5, gpu);
    gpu.reset();
    ASSERT_TRUE(queue->copy(device->range().data, pinned->range().data, 10000).ok());
    const auto during = cudasim_counts();
    EXPECT_EQ(during.device_allocations, before.device_allocations + 1);
    EXPECT_EQ(during.pinned_allocations, before.pinned_allocations + 1);
    EXPECT_EQ(during.streams, before.streams + 1);
    EXPECT_EQ(during.events, before.events + 5);
    EXPECT_EQ(during.contexts, before.contexts + 1);
  }
  const auto after = cudasim_counts();
  EXPECT_EQ(after.device_allocations, before.device_allocations);
  EXPECT_EQ(after.pinned_allocations, before.pinned_allocations);
  EXPECT_EQ(after.streams, before.streams);
  EXPECT_EQ(after.events, before.events);
  EXPECT_EQ(after.contexts, before.contexts);
}

TEST_F(SimulatedGpu, TwoGpusHaveTheirOwnMemoryAndCopyBetweenThem) {
  auto other = *Gpu::open(driver_, 1);
  auto one = Buffer::cuda(gpu_, 4096);
  auto two = Buffer::cuda(other, 4096);
  EXPECT_EQ(two->range().gpu, 1);
  const std::vector bytes(4096, std::byte{7});
  ASSERT_TRUE(one->write(0, bytes).ok());
  auto queue = make_queue(1, other);
  ASSERT_TRUE(queue->copy(two->range().data, one->range().data, 4096).ok());
  ASSERT_TRUE(eventually([&, mark = *queue->mark()] { return queue->finished(mark).value(); }));
  std::vector<std::byte> back(4096);
  ASSERT_TRUE(two->read(0, back).ok());
  EXPECT_EQ(back, bytes);
}

}  // namespace
}  // namespace hawser
