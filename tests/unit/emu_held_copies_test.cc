// What the emulated TCPX leaves to the GPU's streams, and does not wait for: in the simulation,
// where these can be held, and all that was made is counted.
#include <gtest/gtest.h>

#include <array>

#include "emu_place_test.h"

namespace hawser::emu_test {
namespace {

class EmuHeldCopies : public EmuPlaceTest {};

TEST_P(EmuHeldCopies, AReceiveIsDoneWhenItsCopiesAreAndTestDoesNotWait) {
  Plugin plugin(environment);
  Connected pair(plugin);
  void* sending = nullptr;
  void* receiving = nullptr;
  int done = 0;
  {
    const CudasimHold hold;
    ASSERT_EQ(pair.send(pair.source.data(), 300000, &sending), 0);
    ASSERT_EQ(pair.receive(pair.destination.data(), 300000, &receiving), 0);
    int sent = 0;
    ASSERT_TRUE(eventually([&] {
      EXPECT_EQ(pair.test(receiving, &done), 0);
      if (!sent) {
        EXPECT_EQ(pair.test(sending, &sent), 0);
      }
      return sent && plugin.stats().bytes_received == 300000;
    }));
    for (int i = 0; i < 1000; ++i) {
      ASSERT_EQ(pair.test(receiving, &done), 0);
      ASSERT_FALSE(done);
    }
  }
  ASSERT_TRUE(eventually([&] { return pair.test(receiving, &done) != 0 || done; }));
  expect_received(pair, 0, 300000);
  EXPECT_EQ(pair.consume(receiving), 0);
}

TEST_P(EmuHeldCopies, WhatIsInPinnedMemoryIsBounded) {
  Plugin plugin(environment);
  Connected pair(plugin);
  std::array<void*, 4> sending{};
  std::array<void*, 4> receiving{};
  const CudasimHold hold;
  for (std::size_t i = 0; i < 4; ++i) {
    ASSERT_EQ(pair.send(pair.source.data(), 524288, &sending[i]), 0);
    ASSERT_EQ(pair.receive(pair.destination.data(), 524288, &receiving[i]), 0);
  }
  std::size_t sent = 0;
  int done = 0;
  ASSERT_TRUE(eventually([&] {
    int one = 0;
    if (sent < 4) {
      EXPECT_EQ(pair.test(sending[sent], &one), 0);
    }
    sent += static_cast<std::size_t>(one);
    EXPECT_EQ(pair.test(receiving[0], &done), 0);
    return sent == 4 && plugin.stats().bytes_received >= 8 * 32 * 4096 / 4;
  }));
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(pair.test(receiving[0], &done), 0);
  EXPECT_FALSE(done);
  EXPECT_LE(plugin.stats().bytes_received, 8U * 32 * 4096);
}

TEST_P(EmuHeldCopies, ASendWaitsForItsCopyAndTestDoesNot) {
  Plugin plugin(environment);
  Connected pair(plugin);
  const DevicePages source(*gpu_, 1 << 20);
  ASSERT_TRUE(gpu_->copy_to_device(source.data(), pair.source.data(), 1 << 20).ok());
  void* of_gpu = nullptr;
  ASSERT_EQ(plugin->reg_mr(pair.send_comm, source.data(), 1 << 20, emu::kPointerCuda, &of_gpu), 0);
  void* sending = nullptr;
  void* receiving = nullptr;
  {
    const CudasimHold hold;
    ASSERT_EQ(plugin->isend(pair.send_comm, source.data(), 500000, 0, of_gpu, &sending), 0);
    for (int i = 0; i < 1000; ++i) {
      int done = 0;
      ASSERT_EQ(pair.test(sending, &done), 0);
      ASSERT_FALSE(done);
    }
    EXPECT_EQ(plugin.stats().bytes_sent, 0U);
  }
  ASSERT_EQ(pair.receive(pair.destination.data(), 500000, &receiving), 0);
  ASSERT_EQ(pair.finish(sending, receiving), 0);
  expect_received(pair, 0, 500000);
  EXPECT_EQ(pair.consume(receiving), 0);
  EXPECT_EQ(plugin->dereg_mr(pair.send_comm, of_gpu), 0);
}

TEST_P(EmuHeldCopies, PagesAreFreeWhenTheyArePoisoned) {
  environment["HAWSER_EMU_POOL_PAGES"] = "16";
  environment["HAWSER_EMU_FRAGMENTS"] = "pages";
  Plugin plugin(environment);
  Connected pair(plugin);
  std::array<void*, 2> sending{};
  std::array<void*, 2> receiving{};
  for (std::size_t i = 0; i < 2; ++i) {
    ASSERT_EQ(pair.send(pair.source.data(), 16 * 4096, &sending[i]), 0);
    ASSERT_EQ(pair.receive(pair.destination.data(), 16 * 4096, &receiving[i]), 0);
  }
  ASSERT_EQ(pair.finish(sending[0], receiving[0]), 0);
  int done = 0;
  ASSERT_TRUE(eventually([&] { return pair.test(sending[1], &done) != 0 || done; }));
  done = 0;
  {
    const CudasimHold hold;
    ASSERT_EQ(pair.consume(receiving[0]), 0);
    EXPECT_EQ(plugin.stats().pages_in_use, 0U);
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(pair.test(receiving[1], &done), 0);
    EXPECT_EQ(plugin.stats().pages_in_use, 0U) << "none could be had";
  }
  ASSERT_TRUE(eventually([&] { return pair.test(receiving[1], &done) != 0 || done; }));
  expect_received(pair, 1, 16 * 4096);
  EXPECT_EQ(pair.consume(receiving[1]), 0);
}

TEST_P(EmuHeldCopies, StreamsEventsAndPinnedMemoryAreMadeOnce) {
  environment["HAWSER_EMU_FRAGMENTS"] = "scattered";
  Plugin plugin(environment);
  const HawserCudasimCounts before = cudasim_counts();
  {
    Connected pair(plugin);
    const DevicePages source(*gpu_, 1 << 20);
    void* of_gpu = nullptr;
    ASSERT_EQ(plugin->reg_mr(pair.send_comm, source.data(), 1 << 20, emu::kPointerCuda, &of_gpu),
              0);
    HawserCudasimCounts first{};
    for (int i = 0; i < 40; ++i) {
      void* sending = nullptr;
      void* receiving = nullptr;
      ASSERT_EQ(plugin->isend(pair.send_comm, source.data(), 524288, 0, of_gpu, &sending), 0);
      ASSERT_EQ(pair.receive(pair.destination.data(), 524288, &receiving), 0);
      ASSERT_EQ(pair.finish(sending, receiving), 0);
      ASSERT_EQ(pair.consume(receiving), 0);
      if (i == 0) first = cudasim_counts();
    }
    const HawserCudasimCounts last = cudasim_counts();
    EXPECT_EQ(last.streams, first.streams);
    EXPECT_EQ(last.events, first.events);
    EXPECT_EQ(last.pinned_allocations, first.pinned_allocations);
    EXPECT_EQ(last.copies - first.copies, 39U * (2 + 4)) << "256 KiB out, 128 KiB in";
    EXPECT_EQ(plugin->dereg_mr(pair.send_comm, of_gpu), 0);
  }
  const HawserCudasimCounts after = cudasim_counts();  // the pool stays
  EXPECT_EQ(after.streams, before.streams + 1);
  EXPECT_EQ(after.events, before.events + 1);
  EXPECT_EQ(after.pinned_allocations, before.pinned_allocations);
}

TEST_P(EmuHeldCopies, OneCommSendsFromTwoGpus) {
  Plugin plugin(environment);
  Connected pair(plugin);
  const auto second = Gpu::open(driver_, 1);
  ASSERT_TRUE(second.ok());
  const DevicePages here(*gpu_, 1 << 20);
  const DevicePages there(**second, 1 << 20);
  std::array<void*, 2> registrations{};
  std::array<unsigned char*, 2> data{here.data(), there.data()};
  for (std::size_t i = 0; i < 2; ++i) {
    const Gpu& gpu = i == 0 ? *gpu_ : **second;
    ASSERT_TRUE(gpu.copy_to_device(data[i], pair.source.data(), 1 << 20).ok());
    ASSERT_TRUE(gpu.make_current().ok());
    ASSERT_EQ(
        plugin->reg_mr(pair.send_comm, data[i], 1 << 20, emu::kPointerCuda, &registrations[i]), 0);
  }
  ASSERT_TRUE(gpu_->make_current().ok());
  std::array<void*, 8> sending{};
  std::array<void*, 8> receiving{};
  for (std::size_t i = 0; i < 8; ++i) {
    ASSERT_EQ(
        plugin->isend(pair.send_comm, data[i % 2], 400000, 0, registrations[i % 2], &sending[i]),
        0);
    ASSERT_EQ(pair.receive(pair.destination.data(), 400000, &receiving[i]), 0);
  }
  for (std::size_t i = 0; i < 8; ++i) {
    ASSERT_EQ(pair.finish(sending[i], receiving[i]), 0);
    expect_received(pair, i, 400000);
    ASSERT_EQ(pair.consume(receiving[i]), 0);
  }
  for (void* registration : registrations)
    EXPECT_EQ(plugin->dereg_mr(pair.send_comm, registration), 0);
}

INSTANTIATE_TEST_SUITE_P(Simulated, EmuHeldCopies, testing::Values("sim"), gpu_driver_name);

}  // namespace
}  // namespace hawser::emu_test
