// Every data socket of a comm that was made under a GPU is steered to that GPU's pool, whatever is
// received; and to no other.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string>

#include "emu_place_test.h"
#include "support/temp_dir.h"

namespace hawser::emu_test {
namespace {

constexpr int kSteeredBytes = 20000;

// A connection whose receives are host memory, for all that it was made under a GPU.
struct HostReceives : Pair {
  HostReceives(Plugin& plugin) : Pair(plugin) {
    EXPECT_TRUE(connect());
    source.fill_pattern(2);
    EXPECT_EQ(register_memory(receive_comm, destination, &host), 0);
  }
  ~HostReceives() { EXPECT_EQ(plugin_->dereg_mr(receive_comm, host), 0); }

  void post(int bytes) {
    void* data = destination.data();
    int most = kSteeredBytes;
    int tag = 0;
    ASSERT_EQ(send(source.data(), bytes, &sending), 0);
    ASSERT_EQ(plugin_->irecv(receive_comm, 1, &data, &most, &tag, &host, &receiving), 0);
  }
  void expect_sent() {
    int sent = 0;
    EXPECT_TRUE(eventually([&] { return test(sending, &sent) != 0 || sent; }));
  }

  void* host = nullptr;
  void* sending = nullptr;
  void* receiving = nullptr;
};

class EmuSteering : public EmuPlaceTest {
 protected:
  void SetUp() override {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EmuPlaceTest::SetUp();
  }
  std::uint64_t fragments_of(const Pair& pair, std::uint64_t sequence) const {
    return unpack_handle(pair).meta->cnt[sequence % emu::kSlots];
  }
  // Whatever is received into GPU memory ends the process.
  void expect_exit() {
    EXPECT_EXIT(
        {
          Plugin plugin(environment);
          Connected pair(plugin);
          pair.transfer(kSteeredBytes, 0);
        },
        testing::ExitedWithCode(1), "emulated TCPX: rx no cmsg");
  }
  // A tree with a GPU and the loopback interface below these host bridges.
  void put_in_tree(const test::TempDir& folder, const char* of_gpu, const char* of_nic) {
    namespace fs = std::filesystem;
    const fs::path root = folder.path();
    const fs::path gpu = root / "devices" / of_gpu / "0000:04:00.0";
    const fs::path nic = root / "devices" / of_nic / "0000:06:00.0";
    for (const fs::path& made : {gpu, nic, root / "bus/pci/devices", root / "class/net/lo"})
      fs::create_directories(made);
    fs::create_directory_symlink(gpu, root / "bus/pci/devices" / gpu_->info().pci_bus_id);
    fs::create_directory_symlink(nic, root / "class/net/lo/device");
    environment["HAWSER_SYSFS_ROOT"] = root.string();
  }
};

TEST_P(EmuSteering, AReceiveIntoHostMemoryNeverEnds) {
  Plugin plugin(environment);
  HostReceives pair(plugin);
  pair.post(kSteeredBytes);
  pair.expect_sent();
  ASSERT_TRUE(eventually([&] {
    int done = 0;
    EXPECT_EQ(pair.test(pair.receiving, &done), 0);
    return plugin.stats().host_receive_polls != 0;
  }));
  Plugin::clear_log();
  for (int i = 0; i < 100; ++i) {
    int done = 1;
    ASSERT_EQ(pair.test(pair.receiving, &done), 0);
    ASSERT_EQ(done, 0);
  }
  EXPECT_EQ(plugin.stats().host_receive_polls, 101U);
  const std::string log = Plugin::log();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 100);
  EXPECT_EQ(plugin.stats().violations, 0U);
  EXPECT_EQ(plugin.stats().bytes_received, 0U);
}

TEST_P(EmuSteering, NothingIsReceivedIntoHostMemory) {
  Plugin plugin(environment);
  HostReceives pair(plugin);
  pair.post(0);
  EXPECT_EQ(pair.finish(pair.sending, pair.receiving), 0);
  EXPECT_EQ(fragments_of(pair, 0), 0U);
  EXPECT_EQ(pair.consume(pair.receiving), 0);
}

TEST_P(EmuSteering, WhereHostReceivesDoEndTheirBytesAreInPlace) {
  environment["HAWSER_EMU_HOST_RECEIVES"] = "in-place";
  Plugin plugin(environment);
  HostReceives pair(plugin);
  pair.post(kSteeredBytes);
  EXPECT_EQ(pair.finish(pair.sending, pair.receiving), 0);
  EXPECT_EQ(fragments_of(pair, 0), 0U);
  EXPECT_EQ(std::memcmp(pair.source.data(), pair.destination.data(), kSteeredBytes), 0);
  EXPECT_GT(plugin.stats().host_receive_polls, 0U);
  EXPECT_EQ(pair.consume(pair.receiving), 0);
}

TEST_P(EmuSteering, TheNicOfAnotherGpuEndsTheProcess) {
  environment["HAWSER_EMU_GPU_NICS"] = "eth9,lo";
  expect_exit();
}

TEST_P(EmuSteering, TheNicOfTheGpuIsFine) {
  for (const char* nics : {"lo", "lo,eth9", ""}) {
    environment["HAWSER_EMU_GPU_NICS"] = nics;
    Plugin plugin(environment);
    HostReceives pair(plugin);
    void* receiving = nullptr;
    ASSERT_EQ(pair.send(pair.source.data(), kSteeredBytes, &pair.sending), 0);
    ASSERT_EQ(pair.receive(pair.destination.data(), kSteeredBytes, &receiving), 0);
    ASSERT_EQ(pair.finish(pair.sending, receiving), 0);
    expect_received(pair, 0, kSteeredBytes);
    EXPECT_EQ(pair.consume(receiving), 0);
  }
}

// There is no rule for that flow: a plain recv() works.
TEST_P(EmuSteering, ByTheNicOfAnotherGpuHostReceivesArriveInPlace) {
  environment["HAWSER_EMU_GPU_NICS"] = "eth9";
  Plugin plugin(environment);
  HostReceives pair(plugin);
  pair.post(kSteeredBytes);
  EXPECT_EQ(pair.finish(pair.sending, pair.receiving), 0);
  EXPECT_EQ(fragments_of(pair, 0), 0U);
  EXPECT_EQ(std::memcmp(pair.source.data(), pair.destination.data(), kSteeredBytes), 0);
  EXPECT_EQ(pair.consume(pair.receiving), 0);
}

TEST_P(EmuSteering, ThePciTreeSaysWhoseNicItIs) {
  const test::TempDir apart;
  put_in_tree(apart, "pci0000:01", "pci0000:02");
  expect_exit();
  const test::TempDir together;
  put_in_tree(together, "pci0000:01", "pci0000:01");
  Plugin plugin(environment);
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  void* sending = nullptr;
  void* receiving = nullptr;
  ASSERT_EQ(pair.send(pair.source.data(), kSteeredBytes, &sending), 0);
  ASSERT_EQ(pair.receive(pair.destination.data(), kSteeredBytes, &receiving), 0);
  EXPECT_EQ(pair.finish(sending, receiving), 0);
  EXPECT_EQ(pair.consume(receiving), 0);
}

INSTANTIATE_TEST_SUITE_P(Drivers, EmuSteering, gpu_drivers(), gpu_driver_name);

class EmuTwoGpus : public EmuPlaceTest {
 protected:
  void SetUp() override {
    EmuPlaceTest::SetUp();
    second_ = *Gpu::open(driver_, 1);
  }
  std::shared_ptr<Gpu> second_;
};

TEST_P(EmuTwoGpus, AllCallsForACommAreMadeUnderOne) {
  Plugin plugin(environment);
  Pair pair(plugin);
  pair.listen();
  ASSERT_TRUE(pair.connect_step());
  ASSERT_TRUE(second_->make_current().ok());
  EXPECT_FALSE(pair.connect_step());
  EXPECT_EQ(plugin.stats().violations, 2U);
  EXPECT_NE(
      std::string(plugin.stats().last_violation)
          .find("accept under the CUDA context of GPU 1, and it was begun under that of GPU 0"),
      std::string::npos);
  ASSERT_TRUE(gpu_->make_current().ok());
  EXPECT_TRUE(pair.connect());
}

TEST_P(EmuTwoGpus, EachHasItsPool) {
  Plugin plugin(environment);
  Pair first(plugin);
  ASSERT_TRUE(first.connect());
  ASSERT_TRUE(second_->make_current().ok());
  Pair other(plugin);
  ASSERT_TRUE(other.connect());
  const void* const of_second = unpack_handle(other).bounce;
  ASSERT_TRUE(gpu_->make_current().ok());
  Pair again(plugin);
  ASSERT_TRUE(again.connect());
  EXPECT_EQ(unpack_handle(first).bounce, unpack_handle(again).bounce);
  EXPECT_NE(unpack_handle(first).bounce, of_second);
}

INSTANTIATE_TEST_SUITE_P(Simulated, EmuTwoGpus, testing::Values("sim"), gpu_driver_name);

}  // namespace
}  // namespace hawser::emu_test
