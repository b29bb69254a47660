// Data through the emulated TCPX by way of page-locked memory, to and from a GPU.
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "emu_place_test.h"

namespace hawser::emu_test {
namespace {

class EmuCopies : public EmuPlaceTest {};

TEST_P(EmuCopies, FragmentsOfAllKindsArriveInAFullWindow) {
  for (const char* kind : {"pages", "scattered", "mixed", "tiny"}) {
    SCOPED_TRACE(kind);
    environment["HAWSER_EMU_FRAGMENTS"] = kind;
    environment["HAWSER_EMU_POOL_PAGES"] = "16384";
    Plugin plugin(environment);
    Connected pair(plugin);
    std::array<void*, 16> sending{};
    std::array<void*, 16> receiving{};
    const auto bytes = [](std::size_t i) {
      return i == 0 ? 524288 : 70001 * static_cast<int>(i % 5);
    };
    for (std::size_t i = 0; i < 16; ++i) {
      ASSERT_EQ(pair.send(pair.source.data(), bytes(i), &sending[i]), 0);
      ASSERT_EQ(pair.receive(pair.destination.data(), 524288, &receiving[i]), 0);
    }
    for (std::size_t i = 0; i < 16; ++i) ASSERT_EQ(pair.finish(sending[i], receiving[i]), 0);
    for (std::size_t i = 0; i < 16; ++i) {
      expect_received(pair, i, static_cast<std::size_t>(bytes(i)));
      ASSERT_EQ(pair.consume(receiving[i]), 0);
    }
    EXPECT_EQ(plugin.stats().violations, 0U) << plugin.stats().last_violation;
    EXPECT_EQ(plugin.stats().pages_in_use, 0U);
  }
}

TEST_P(EmuCopies, AByteIsCorruptedOnItsWayToTheGpu) {
  environment["HAWSER_EMU_FAULTS"] = "payload@0=corrupt:201000";
  Plugin plugin(environment);
  Connected pair(plugin);
  void* sending = nullptr;
  void* receiving = nullptr;
  ASSERT_EQ(pair.send(pair.source.data(), 300000, &sending), 0);
  ASSERT_EQ(pair.receive(pair.destination.data(), 300000, &receiving), 0);
  ASSERT_EQ(pair.finish(sending, receiving), 0);
  EXPECT_EQ(unpack(pair, 0, pair.destination.data()), 300000U);
  pair.destination.data()[201000] ^= 0x40;
  EXPECT_EQ(std::memcmp(pair.source.data(), pair.destination.data(), 300000), 0);
  EXPECT_EQ(pair.consume(receiving), 0);
}

TEST_P(EmuCopies, SendsFromTheHostAndTheGpuAlternate) {
  Plugin plugin(environment);
  Connected pair(plugin);
  const DevicePages source(*gpu_, 1 << 20);
  ASSERT_TRUE(gpu_->copy_to_device(source.data(), pair.source.data(), 1 << 20).ok());
  void* of_gpu = nullptr;
  ASSERT_EQ(plugin->reg_mr(pair.send_comm, source.data(), 1 << 20, emu::kPointerCuda, &of_gpu), 0);
  for (std::uint64_t round = 0; round < 3; ++round) {
    std::array<void*, 16> sending{};
    std::array<void*, 16> receiving{};
    for (std::size_t i = 0; i < 16; ++i) {
      const bool gpu = i % 3 != 0;
      ASSERT_EQ(
          plugin->isend(pair.send_comm, gpu ? source.data() : pair.source.data(),
                        i == 4 ? 0 : 280000, 0, gpu ? of_gpu : pair.send_registration, &sending[i]),
          0);
      ASSERT_EQ(pair.receive(pair.destination.data(), 280000, &receiving[i]), 0);
    }
    for (std::size_t i = 0; i < 16; ++i) {
      ASSERT_EQ(pair.finish(sending[i], receiving[i]), 0);
      expect_received(pair, i, i == 4 ? 0 : 280000);
      ASSERT_EQ(pair.consume(receiving[i]), 0);
    }
  }
  EXPECT_EQ(plugin->dereg_mr(pair.send_comm, of_gpu), 0);
  EXPECT_EQ(plugin.stats().violations, 0U) << plugin.stats().last_violation;
}

TEST_P(EmuCopies, ADyingPeerDiesAtTheByte) {
  environment["HAWSER_EMU_FAULTS"] = "server:peer@0=die:250000";
  environment["HAWSER_EMU_PEER_DEATH"] = "6";
  Plugin plugin(environment);
  Connected pair(plugin);
  void* sending = nullptr;
  void* receiving = nullptr;
  ASSERT_EQ(pair.send(pair.source.data(), 300000, &sending), 0);
  ASSERT_EQ(pair.receive(pair.destination.data(), 300000, &receiving), 0);
  EXPECT_EQ(pair.finish(sending, receiving), emu::kRemoteError);
  EXPECT_EQ(plugin.stats().bytes_received, 250000U);
}

INSTANTIATE_TEST_SUITE_P(Drivers, EmuCopies, gpu_drivers(), gpu_driver_name);

}  // namespace
}  // namespace hawser::emu_test
