// The emulated TCPX with its bounce pool on a GPU, simulated or real.
#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "emu_place_test.h"

namespace hawser::emu_test {
namespace {

constexpr int kBytes = 300000;
constexpr int kWholePages = 74 * 4096;  // at least as many

class EmuCuda : public EmuPlaceTest {};

TEST_P(EmuCuda, SendsFromTheGpuAndLandsInItsPool) {
  Plugin plugin(environment);
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  const DevicePages source(*gpu_, kBytes);
  const DevicePages destination(*gpu_, kBytes);
  pair.source.fill_pattern(5);
  ASSERT_TRUE(gpu_->copy_to_device(source.data(), pair.source.data(), kBytes).ok());
  void* sends = nullptr;
  void* receives = nullptr;
  ASSERT_EQ(plugin->reg_mr(pair.send_comm, source.data(), kWholePages, emu::kPointerCuda, &sends),
            0);
  ASSERT_EQ(plugin->reg_mr(pair.receive_comm, destination.data(), kWholePages, emu::kPointerCuda,
                           &receives),
            0);
  for (std::uint64_t sequence = 0; sequence < 20; ++sequence) {
    void* sending = nullptr;
    void* receiving = nullptr;
    void* data = destination.data();
    int bytes = kBytes;
    int tag = 0;
    const int length = sequence == 3 ? 0 : kBytes - 7 * static_cast<int>(sequence);
    ASSERT_EQ(plugin->isend(pair.send_comm, source.data() + sequence, length, 0, sends, &sending),
              0);
    ASSERT_EQ(plugin->irecv(pair.receive_comm, 1, &data, &bytes, &tag, &receives, &receiving), 0);
    ASSERT_EQ(pair.finish(sending, receiving), 0);
    std::memset(pair.destination.data(), 0, kBytes);
    unpack(pair, sequence, pair.destination.data());
    ASSERT_EQ(std::memcmp(pair.destination.data(), pair.source.data() + sequence,
                          static_cast<std::size_t>(length)),
              0);
    ASSERT_EQ(pair.consume(receiving), 0);
  }
  EXPECT_EQ(plugin->dereg_mr(pair.send_comm, sends), 0);
  EXPECT_EQ(plugin->dereg_mr(pair.receive_comm, receives), 0);
  EXPECT_EQ(plugin.stats().violations, 0U) << plugin.stats().last_violation;
  EXPECT_EQ(plugin.stats().pages_in_use, 0U);
}

TEST_P(EmuCuda, ConsumedBeforeCopiedIsPoison) {
  Plugin plugin(environment);
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  void* sending = nullptr;
  void* receiving = nullptr;
  ASSERT_EQ(pair.send(pair.source.data(), 20000, &sending), 0);
  ASSERT_EQ(pair.receive(pair.destination.data(), 20000, &receiving), 0);
  ASSERT_EQ(pair.finish(sending, receiving), 0);
  ASSERT_EQ(pair.consume(receiving), 0);
  // A stream does it; freeing memory waits for all that goes on.
  ASSERT_TRUE(gpu_->free(*gpu_->allocate(1)).ok());
  unpack(pair, 0, pair.destination.data());
  const unsigned char* got = pair.destination.data();
  EXPECT_TRUE(std::all_of(got, got + 20000, [](unsigned char byte) { return byte == 0xDB; }));
}

TEST_P(EmuCuda, ListenNeedsACurrentDevice) {
  Plugin plugin(environment);
  Pair pair(plugin);
  std::thread([&] {  // a thread without one
    EXPECT_EQ(plugin->listen(pair.device_, pair.handle.data(), &pair.listen_comm), 3);
  })
      .join();
  EXPECT_NE(std::string(plugin.stats().last_violation).find("current CUDA context"),
            std::string::npos);
}

TEST_P(EmuCuda, SupportsItsPointersWhereThereIsADriver) {
  Plugin plugin(environment);
  emu::Properties properties{};
  ASSERT_EQ(plugin->get_properties(0, &properties), 0);
  EXPECT_EQ(properties.pointer_support, emu::kPointerHost | emu::kPointerCuda);
}

TEST_P(EmuCuda, WithoutACurrentDeviceAutoIsHostMemory) {
  environment["HAWSER_EMU_BOUNCE"] = "auto";
  gpu_of_receives = nullptr;
  Plugin plugin(environment);
  std::thread([&] {
    Pair pair(plugin);
    ASSERT_TRUE(pair.connect());
    EXPECT_EQ(pair.unpack_handle().head, 0U);  // the CPU can read it
  }).join();
}

// Who uses one GPU and forgets it once gets GPU 0 of the real one.
TEST_P(EmuCuda, OnceAGpuIsUsedAllCallsWantOne) {
  environment["HAWSER_EMU_BOUNCE"] = "auto";
  Plugin plugin(environment);
  Pair pair(plugin);
  pair.listen();
  ASSERT_TRUE(pair.connect_step());
  std::thread([&] {
    EXPECT_FALSE(pair.connect_step());
    EXPECT_EQ(plugin.stats().violations, 2U);
    EXPECT_NE(std::string(plugin.stats().last_violation).find("accept in a thread without"),
              std::string::npos);
  }).join();
  EXPECT_TRUE(pair.connect());
}

TEST_P(EmuCuda, RegistrationsTellTheTruthAboutTheirMemory) {
  Plugin plugin(environment);
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  const DevicePages pages(*gpu_, kBytes);
  void* registration = nullptr;
  EXPECT_EQ(
      plugin->reg_mr(pair.send_comm, pair.source.data(), 4096, emu::kPointerCuda, &registration),
      3);
  EXPECT_NE(std::string(plugin.stats().last_violation).find("which it is not"), std::string::npos);
  EXPECT_EQ(
      plugin->reg_mr(pair.send_comm, pages.data() + 512, 4096, emu::kPointerCuda, &registration),
      3);
  std::thread([&] {
    EXPECT_EQ(plugin->reg_mr(pair.send_comm, pages.data(), 4096, emu::kPointerCuda, &registration),
              3);
  }).join();
  EXPECT_NE(std::string(plugin.stats().last_violation).find("without a CUDA context"),
            std::string::npos);
}

TEST_P(EmuCuda, TheThreadsContextIsLeftAsItWas) {
  Plugin plugin(environment);
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  void* sending = nullptr;
  void* receiving = nullptr;
  ASSERT_EQ(pair.send(pair.source.data(), 20000, &sending), 0);
  ASSERT_EQ(pair.receive(pair.destination.data(), 20000, &receiving), 0);
  std::thread([&] {  // which has none, and still has none after
    EXPECT_EQ(pair.finish(sending, receiving), 0);
    EXPECT_EQ(pair.consume(receiving), 0);
    void* registration = nullptr;
    EXPECT_EQ(
        plugin->reg_mr(pair.send_comm, pair.source.data(), 4096, emu::kPointerCuda, &registration),
        3);
    EXPECT_NE(std::string(plugin.stats().last_violation).find("without a CUDA context"),
              std::string::npos);
  })
      .join();
}

INSTANTIATE_TEST_SUITE_P(Drivers, EmuCuda, gpu_drivers(), gpu_driver_name);

TEST(EmuCudaAbsent, CudaMemoryWithoutADriverIsACudaError) {
  Plugin plugin(Environment{{"HAWSER_CUDA_LIBRARY", "libno-such-driver.so"}});
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  void* registration = nullptr;
  EXPECT_EQ(
      plugin->reg_mr(pair.send_comm, pair.source.data(), 4096, emu::kPointerCuda, &registration),
      emu::kCudaError);
}

}  // namespace
}  // namespace hawser::emu_test
