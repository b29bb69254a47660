// Data through the emulated TCPX: right when the rules are followed, rubbish when they are not.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "emu_support.h"

namespace hawser::emu_test {
namespace {

TEST(EmuData, ZeroByteMessagesTakeASlotToo) {
  Plugin plugin;
  Connected pair(plugin);
  for (std::uint64_t sequence = 0; sequence < 33; ++sequence)
    ASSERT_EQ(pair.transfer(sequence % 3 == 0 ? 5000 : 0, sequence), emu::kSuccess);
  EXPECT_EQ(plugin.stats().violations, 0U) << plugin.stats().last_violation;
}

TEST(EmuData, ShorterSendsThanReceivesAreFine) {
  Plugin plugin;
  Connected pair(plugin);
  void* sending = nullptr;
  void* receiving = nullptr;
  ASSERT_EQ(pair.send(pair.source.data() + 100, 777, &sending), 0);
  ASSERT_EQ(pair.receive(pair.destination.data(), 524288, &receiving), 0);
  ASSERT_EQ(pair.finish(sending, receiving), 0);
  EXPECT_EQ(pair.unpack(0, pair.destination.data()), 777U);
  EXPECT_EQ(std::memcmp(pair.source.data() + 100, pair.destination.data(), 777), 0);
  EXPECT_EQ(pair.consume(receiving), 0);
}

TEST(EmuData, TestNeverWritesTheSize) {
  Plugin plugin;
  Connected pair(plugin);
  void* sending = nullptr;
  void* receiving = nullptr;
  ASSERT_EQ(pair.send(pair.source.data(), 777, &sending), 0);
  ASSERT_EQ(pair.receive(pair.destination.data(), 777, &receiving), 0);
  for (void* request : {sending, receiving}) {
    int size = -42;
    int done = 0;
    ASSERT_TRUE(eventually([&] { return plugin->test(request, &done, &size) != 0 || done; }));
    EXPECT_EQ(size, -42);
  }
  EXPECT_EQ(pair.consume(receiving), 0);
}

TEST(EmuData, NothingMovesButInTest) {
  Plugin plugin;
  Connected pair(plugin);
  void* sending = nullptr;
  ASSERT_EQ(pair.send(pair.source.data(), 777, &sending), 0);
  EXPECT_EQ(plugin.stats().bytes_sent, 0U);
  int done = 0;
  EXPECT_TRUE(eventually([&] { return pair.test(sending, &done) != 0 || done; }));
  EXPECT_EQ(plugin.stats().bytes_sent, 777U);
  EXPECT_EQ(plugin.stats().bytes_received, 0U);
}

TEST(EmuData, CountIsZeroUntilTestSaysDone) {
  Plugin plugin;
  Connected pair(plugin);
  ASSERT_EQ(pair.transfer(9000, 0), emu::kSuccess);
  void* receiving = nullptr;
  for (std::uint64_t sequence = 1; sequence < 16; ++sequence)
    ASSERT_EQ(pair.transfer(9000, sequence), emu::kSuccess);
  ASSERT_NE(pair.unpack_handle().meta->cnt[0], 0U);  // of the first message
  ASSERT_EQ(pair.receive(pair.destination.data(), 9000, &receiving), 0);
  EXPECT_EQ(pair.unpack_handle().meta->cnt[0], 0U);
}

TEST(EmuData, ConsumedBeforeCopiedIsPoison) {
  Plugin plugin;
  Connected pair(plugin);
  void* sending = nullptr;
  void* receiving = nullptr;
  ASSERT_EQ(pair.send(pair.source.data(), 50000, &sending), 0);
  ASSERT_EQ(pair.receive(pair.destination.data(), 50000, &receiving), 0);
  ASSERT_EQ(pair.finish(sending, receiving), 0);
  ASSERT_EQ(pair.consume(receiving), 0);
  ASSERT_EQ(pair.unpack(0, pair.destination.data()), 50000U);
  const unsigned char* got = pair.destination.data();
  EXPECT_TRUE(std::all_of(got, got + 50000, [](unsigned char byte) { return byte == 0xDB; }));
}

TEST(EmuData, OneRegistrationServesEveryCommOfTheDevice) {
  Plugin plugin;
  Connected first(plugin);
  Pair second(plugin);
  ASSERT_TRUE(second.connect());
  void* sending = nullptr;
  void* receiving = nullptr;
  ASSERT_EQ(plugin->isend(second.send_comm, first.source.data() + 5, 100, 0,
                          first.send_registration, &sending),
            0);
  ASSERT_EQ(second.receive(second.destination.data(), 100, &receiving), 0);
  ASSERT_EQ(second.finish(sending, receiving), 0);
  EXPECT_EQ(second.consume(receiving), 0);
}

// A host with a window of 16: random lengths, unpacked and consumed a while after they are done.
class Streamer {
 public:
  Streamer(Plugin& plugin, std::uint32_t seed, std::size_t messages)
      : pair_(plugin), random_(seed), lengths_(messages) {
    for (int& length : lengths_) length = static_cast<int>(random_() % kMaxBytes);
  }

  bool run() {
    return eventually([&] {
      post();
      poll(sends_, sent_, sent_done_);
      poll(receives_, received_, received_done_);
      if (consumed_ < received_done_ && random_() % 4 == 0) take_one();
      return consumed_ == lengths_.size() || ::testing::Test::HasFailure();
    });
  }

 private:
  static constexpr int kMaxBytes = 60000;
  using Window = std::array<void*, emu::kSlots>;
  static void*& at(Window& window, std::size_t index) { return window[index % window.size()]; }

  void post() {
    if (sent_ < lengths_.size() && sent_ - sent_done_ < emu::kSlots) {
      EXPECT_EQ(pair_.send(pair_.source.data() + sent_, lengths_[sent_], &at(sends_, sent_)), 0);
      ++sent_;
    }
    if (received_ < lengths_.size() && received_ - consumed_ < emu::kSlots) {
      EXPECT_EQ(pair_.receive(pair_.destination.data(), kMaxBytes, &at(receives_, received_)), 0);
      ++received_;
    }
  }
  void poll(Window& window, std::size_t posted, std::size_t& finished) {
    int done = 0;
    if (finished < posted) {
      EXPECT_EQ(pair_.test(at(window, finished), &done), 0);
    }
    finished += static_cast<std::size_t>(done);
  }
  void take_one() {
    const auto bytes = static_cast<std::size_t>(lengths_[consumed_]);
    EXPECT_EQ(pair_.unpack(consumed_, pair_.destination.data()), bytes);
    EXPECT_EQ(std::memcmp(pair_.destination.data(), pair_.source.data() + consumed_, bytes), 0);
    EXPECT_EQ(pair_.consume(at(receives_, consumed_)), 0);
    ++consumed_;
  }

  Connected pair_;
  std::mt19937 random_;
  std::vector<int> lengths_;
  Window sends_{};
  Window receives_{};
  std::size_t sent_ = 0, sent_done_ = 0, received_ = 0, received_done_ = 0, consumed_ = 0;
};

TEST(EmuData, CommsOnThreadsOfTheirOwnShareThePool) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Plugin plugin(Environment{{"HAWSER_EMU_POOL_PAGES", "2048"}});
  std::vector<std::unique_ptr<Streamer>> streamers;  // made by one thread: see emu_setup_calls_test
  for (std::uint32_t i = 0; i < 4; ++i)
    streamers.push_back(std::make_unique<Streamer>(plugin, seed + i, 100));
  std::vector<std::thread> threads;
  for (auto& streamer : streamers)
    threads.emplace_back([&streamer] { EXPECT_TRUE(streamer->run()); });
  for (std::thread& thread : threads) thread.join();
  streamers.clear();
  const HawserEmuStats stats = plugin.stats();
  EXPECT_EQ(stats.violations, 0U) << stats.last_violation;
  EXPECT_EQ(stats.pages_in_use, 0U);
  EXPECT_EQ(stats.max_requests_in_flight, 16U);
  EXPECT_EQ(stats.registrations_alive, 0U);
  EXPECT_EQ(stats.slots_leaked, 0U);
  EXPECT_EQ(stats.bytes_sent, stats.bytes_received);
}

}  // namespace
}  // namespace hawser::emu_test
