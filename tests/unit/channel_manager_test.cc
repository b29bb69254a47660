#include "channel/channel_manager.h"

#include <gtest/gtest.h>

#include <thread>

#include "memory/buffer.h"
#include "memory/pattern.h"
#include "support/fake_net.h"

namespace hawser {
namespace {

using test::FakeNet;

NetCapabilities plain() {
  NetCapabilities can;
  can.max_requests = 4;
  can.max_request_bytes = 1 << 20;
  can.oldest_first = true;
  can.registration_per_device = true;
  can.reports_received_bytes = true;
  return can;
}

NetCapabilities unpacking() {
  NetCapabilities can = plain();
  can.needs_unpack = true;
  can.reports_received_bytes = false;
  return can;
}

WaitBound soon() {
  return {Deadline::after(Milliseconds(10'000)), {}};
}

ChannelOptions small_chunks() {
  ChannelOptions options;
  options.chunk_bytes = 4096;
  return options;
}

struct ChannelPair {
  std::shared_ptr<Channel> sender, receiver;
};

// Two managers: the channel's ends have the same key, as on two machines.
class ChannelManagerTest : public ::testing::TestWithParam<bool> {
 protected:
  ChannelManagerTest()
      : net_(std::make_shared<FakeNet>(GetParam() ? unpacking() : plain())),
        sending_(net_),
        receiving_(net_) {}
  ~ChannelManagerTest() override {
    sending_.close_all();
    receiving_.close_all();
    EXPECT_EQ(net_->counts().broken_rules, 0);
    EXPECT_EQ(net_->counts().registrations, net_->counts().deregistrations);
  }

  ChannelPair make(int index) {
    const ChannelKey key{0, 0, index};
    auto listener = receiving_.listen(key);
    const Handle handle = (*listener)->handle();
    ChannelPair pair;
    pair.sender = *sending_.connect(key, handle, small_chunks(), soon());
    pair.receiver = *receiving_.accept(key, std::move(*listener), small_chunks(), soon());
    return pair;
  }

  void move_and_compare(ChannelPair& pair, std::size_t bytes) {
    Buffer from = *Buffer::host(std::max<std::size_t>(1, bytes));
    Buffer to = *Buffer::host(std::max<std::size_t>(1, bytes));
    fill_pattern({7, 0, 0}, 0, {from.range().at(0), bytes});
    Registration* const out = *sending_.register_devmem_once(*pair.sender, from.range());
    Registration* const in = *receiving_.register_devmem_once(*pair.receiver, to.range());
    pair.sender->begin(from.range().slice(0, bytes), out);
    pair.receiver->begin(to.range().slice(0, bytes), in);
    while (!pair.sender->finished() || !pair.receiver->finished()) {
      ASSERT_TRUE(pair.sender->progress().ok());
      ASSERT_TRUE(pair.receiver->progress().ok());
    }
    EXPECT_EQ(pair.receiver->bytes_done(), bytes);
    EXPECT_FALSE(find_mismatch({7, 0, 0}, 0, {to.range().at(0), bytes}).has_value());
    buffers_.push_back(std::move(from));
    buffers_.push_back(std::move(to));
  }

  std::shared_ptr<FakeNet> net_;
  std::vector<Buffer> buffers_;  // outlive the registrations
  ChannelManager sending_, receiving_;
};

TEST_P(ChannelManagerTest, MovesEverySizeWholeAndInOrder) {
  ChannelPair pair = make(0);
  for (const std::size_t bytes : {0, 1, 4095, 4096, 4097, 12'345, 1 << 20})
    move_and_compare(pair, bytes);
}

// Each message of a run lands in the slot that it left from, and the window stays full across them.
TEST_P(ChannelManagerTest, MovesARunOfMessagesRoundItsSlots) {
  ChannelPair pair = make(0);
  const MessageRun run{5000, 11, 3};
  const std::size_t bytes = run.message_bytes * run.slots;
  Buffer from = *Buffer::host(bytes);
  Buffer to = *Buffer::host(bytes);
  ASSERT_TRUE(write_pattern({7, 0, 0}, from, bytes).ok());
  ASSERT_TRUE(write_spoiled({7, 0, 0}, to, bytes).ok());
  pair.sender->begin(run, from.range(), *sending_.register_devmem_once(*pair.sender, from.range()));
  pair.receiver->begin(run, to.range(),
                       *receiving_.register_devmem_once(*pair.receiver, to.range()));
  while (!pair.sender->finished() || !pair.receiver->finished()) {
    ASSERT_TRUE(pair.sender->progress().ok());
    ASSERT_TRUE(pair.receiver->progress().ok());
  }
  EXPECT_EQ(pair.receiver->bytes_done(), run.message_bytes * run.messages);
  EXPECT_EQ(net_->counts().most_in_flight, 4);
  EXPECT_FALSE(check_pattern({7, 0, 0}, to, bytes)->has_value());
  buffers_.push_back(std::move(from));
  buffers_.push_back(std::move(to));
}

TEST_P(ChannelManagerTest, FillsTheWindowAndNoMore) {
  ChannelPair pair = make(0);
  move_and_compare(pair, 100'000);
  EXPECT_EQ(net_->counts().most_in_flight, 4);
}

TEST_P(ChannelManagerTest, GetsThereWhenTheNetIsReluctant) {
  net_->set_reluctance(3);
  ChannelPair pair = make(0);
  move_and_compare(pair, 100'000);
  EXPECT_LE(net_->counts().most_in_flight, 4);
}

TEST_P(ChannelManagerTest, ConsumesEveryUnpackedReceive) {
  ChannelPair pair = make(0);
  move_and_compare(pair, 10 * 4096);
  EXPECT_EQ(net_->counts().consumed, GetParam() ? 10 : 0);
}

TEST_P(ChannelManagerTest, ManyThreadsMakeManyChannelsAndOneRegistration) {
  constexpr int kThreads = 8;
  const Buffer shared = *Buffer::host(1 << 16);
  std::vector<std::thread> threads;
  std::array<Registration*, kThreads> registrations{};
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&, i] {
      const ChannelPair pair = make(i);
      registrations[static_cast<std::size_t>(i)] = *receiving_.register_devmem_once(
          *pair.receiver, shared.range().slice(4096 * (i % 2), 8192));
      *receiving_.register_devmem_once(*pair.receiver, shared.range().slice(4096 * (i % 2), 8192));
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(receiving_.channel_count(), static_cast<std::size_t>(kThreads));
  EXPECT_EQ(net_->counts().registrations, 2);  // two ranges, sixteen askings
  EXPECT_EQ(receiving_.registration_count(), 2u);
  for (int i = 2; i < kThreads; ++i)
    EXPECT_EQ(registrations[static_cast<std::size_t>(i)],
              registrations[static_cast<std::size_t>(i % 2)]);
  receiving_.close_all();
}

TEST_P(ChannelManagerTest, TheSameChannelTwiceIsAnError) {
  const ChannelPair pair = make(0);
  auto listener = *receiving_.listen({0, 0, 0});
  const auto again = receiving_.accept({0, 0, 0}, std::move(listener), small_chunks(), soon());
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().message(), "GPU 0 device 0 channel 0 exists already");
}

TEST_P(ChannelManagerTest, AFailedRegistrationIsTheCallersAndNotRemembered) {
  const ChannelPair pair = make(0);
  const Buffer buffer = *Buffer::host(4096);
  net_->fail_registrations();
  EXPECT_FALSE(receiving_.register_devmem_once(*pair.receiver, buffer.range()).ok());
  EXPECT_EQ(receiving_.registration_count(), 0u);
}

TEST_P(ChannelManagerTest, ATransferThatCannotGoOnEndsWithItsDeadline) {
  ChannelPair pair = make(0);
  const Buffer to = *Buffer::host(8192);
  Registration* const in = *receiving_.register_devmem_once(*pair.receiver, to.range());
  const Status moved =
      pair.receiver->transfer(to.range(), in, {Deadline::after(Milliseconds(20)), {}});
  ASSERT_FALSE(moved.ok());
  EXPECT_EQ(moved.error().code(), Code::timeout);
  EXPECT_EQ(moved.error().message(),
            "0 of 8192 bytes done: the transfer did not happen within 20 ms");
  receiving_.close_all();
}

TEST_P(ChannelManagerTest, AnInterruptEndsAWait) {
  auto listener = *receiving_.listen({0, 0, 0});
  const WaitBound interrupted{Deadline::after(Milliseconds(10'000)),
                              [] { return std::optional(Error(Code::peer, "it is gone")); }};
  const auto channel =
      receiving_.accept({0, 0, 0}, std::move(listener), small_chunks(), interrupted);
  ASSERT_FALSE(channel.ok());
  EXPECT_EQ(channel.error().message(), "it is gone");
}

INSTANTIATE_TEST_SUITE_P(, ChannelManagerTest, ::testing::Values(false, true),
                         [](const auto& given) { return given.param ? "unpacking" : "plain"; });

TEST(ChannelRegistration, IsPerChannelWhereTheNetSaysSo) {
  NetCapabilities can = plain();
  can.registration_per_device = false;
  const auto net = std::make_shared<FakeNet>(can);
  const Buffer buffer = *Buffer::host(4096);
  ChannelManager manager(net);
  for (int i = 0; i < 3; ++i) {
    const auto channel =
        *manager.accept({0, 0, i}, *manager.listen({0, 0, i}), small_chunks(), soon());
    ASSERT_TRUE(manager.register_devmem_once(*channel, buffer.range()).ok());
    ASSERT_TRUE(manager.register_devmem_once(*channel, buffer.range()).ok());
  }
  EXPECT_EQ(net->counts().registrations, 3);
}

TEST(ChannelOptionsCheck, RefusesChunksTheTransportCannotTake) {
  const auto net = std::make_shared<FakeNet>(plain());
  ChannelManager manager(net);
  ChannelOptions options;
  options.chunk_bytes = (1 << 20) + 1;
  const auto channel = manager.accept({0, 0, 0}, *manager.listen({0, 0, 0}), options, soon());
  ASSERT_FALSE(channel.ok());
  EXPECT_EQ(channel.error().message(), "chunks of 1048577 bytes: the transport takes 1 to 1048576");
}

}  // namespace
}  // namespace hawser
