// One connection over several sockets: what is sent arrives, whoever drives them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "support/net_flow.h"
#include "support/net_pair.h"
#include "support/seed.h"
#include "support/tcp_pair.h"
#include "support/threads.h"

namespace hawser {
namespace {

using namespace test;

constexpr int kSockets = 4;
constexpr std::size_t kLarge = 64 * 1024;  // from here on a message is worth more than one socket

// With I/O threads, and with none: whoever polls does it all.
class TcpStriping : public testing::TestWithParam<int> {
 protected:
  TcpPair connect(std::size_t buffer_bytes, int sockets = kSockets) {
    return TcpPair(sockets, GetParam(), buffer_bytes);
  }
};
INSTANTIATE_TEST_SUITE_P(IoThreads, TcpStriping, testing::Values(0, 2));

TEST_P(TcpStriping, ALargeTransferUsesAllSocketsThatAConnectionMayHave) {
  TcpPair pair = connect(16 * kMiB);
  fill_pattern(pair.from().span(0, 16 * kMiB), 1);
  ASSERT_EQ(connected_sockets().size(), 2u);
  const auto all_carried_some = [&] {
    pair.to().reset();
    EXPECT_TRUE(pair.move(16 * kMiB));
    EXPECT_EQ(pattern_mismatch(pair.to().span(0, 16 * kMiB), 1), "");
    const auto sockets = connected_sockets();
    return std::count_if(sockets.begin(), sockets.end(), [](const SocketTraffic& socket) {
             return socket.sent > kLarge;
           }) == kSockets;
  };
  EXPECT_TRUE(eventually([&] { return HasFailure() || all_carried_some(); }));
  EXPECT_EQ(connected_sockets().size(), 2u * kSockets);
  EXPECT_EQ(threads_named("hw-io").size(), static_cast<std::size_t>(GetParam()));
}

TEST_P(TcpStriping, WithoutALargeMessageThereIsOneSocketAndNoThread) {
  TcpPair pair = connect(kLarge);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(pair.move(kLarge - 1));
  EXPECT_EQ(connected_sockets().size(), 2u);
  EXPECT_TRUE(threads_named("hw-io").empty());
}

TEST_P(TcpStriping, TheSmallerOfBothSidesNumbersOfSocketsCounts) {
  for (const auto& [sending, receiving] : {std::pair(2, 7), {7, 2}, {1, 7}, {7, 1}}) {
    const auto from = loopback_net(sending, GetParam());
    const auto to = loopback_net(receiving, GetParam());
    auto pair = connect_pair(*to, 0, *from, 0, Deadline::after(kPairPatience));
    ASSERT_TRUE(pair.ok()) << pair.error().message();
    GuardedBuffer source(8 * kMiB), sink(8 * kMiB);
    Registration* const out = *pair->sender->register_memory(source.range());
    Registration* const in = *pair->receiver->register_memory(sink.range());
    const auto number = static_cast<std::size_t>(std::min(sending, receiving));
    const auto that_many = [&, ends = &*pair] {
      SendFlow send(*ends->sender, from->devices()[0].capabilities);
      ReceiveFlow receive(*ends->receiver, to->devices()[0].capabilities);
      EXPECT_TRUE(receive.post(sink.data(), sink.bytes(), 0, in).ok());
      EXPECT_TRUE(send.post(source.data(), source.bytes(), 0, out).ok());
      EXPECT_TRUE(drain(send, receive, Deadline::after(kPairPatience)).ok());
      return connected_sockets().size() >= 2 * number;
    };
    EXPECT_TRUE(eventually([&] { return HasFailure() || that_many(); }));
    EXPECT_EQ(connected_sockets().size(), 2 * number);
    EXPECT_TRUE(pair->sender->deregister(out).ok());
    EXPECT_TRUE(pair->receiver->deregister(in).ok());
  }
}

std::size_t random_bytes(std::mt19937_64& random) {
  switch (random() % 4) {
    case 0:
      return random() % 3;
    case 1:
      return random() % 2000;
    case 2:
      return random() % (128 * 1024);
    default:
      return random() % (2 * kMiB);
  }
}

// A message under way: which one, which part of the source it is, and how much its receive takes.
struct UnderWay {
  Request* request;
  std::size_t index;
  std::size_t source_offset;
  std::size_t bytes;
  std::size_t capacity;
};

// Where messages come to: places of the sink, each message's own while it is under way.
class Places {
 public:
  static constexpr std::size_t kBytes = 2 * kMiB + 4096;
  static constexpr std::size_t kCount = 32;

  explicit Places(GuardedBuffer& to) : to_(to) {}
  static std::size_t offset(const UnderWay& message) { return message.index % kCount * kBytes; }
  void clear(const UnderWay& message) {
    std::memset(to_.data() + offset(message), static_cast<int>(GuardedBuffer::kGuard),
                message.capacity);
  }
  // Its bytes have come, and nothing behind them.
  void check(const UnderWay& message, const std::byte* source) {
    EXPECT_EQ(
        std::memcmp(to_.data() + offset(message), source + message.source_offset, message.bytes),
        0);
    const auto rest = to_.span(offset(message) + message.bytes, message.capacity - message.bytes);
    EXPECT_TRUE(std::all_of(rest.begin(), rest.end(),
                            [](std::byte b) { return b == GuardedBuffer::kGuard; }));
  }

 private:
  GuardedBuffer& to_;
};

// Sizes at random, posted and tested at random moments on both sides: the receiver may be far ahead
// or far behind, and either may have its oldest or its newest request tested first.
TEST_P(TcpStriping, MessagesOfAllSizesArriveWhateverTheTiming) {
  std::mt19937_64 random(seed_of_this_run());
  TcpPair pair = connect(Places::kCount * Places::kBytes);
  constexpr std::size_t kSourceBytes = 4 * kMiB;
  fill_pattern(pair.from().span(0, kSourceBytes), 1);
  Places places(pair.to());
  constexpr std::size_t kMessages = 400;
  std::vector<std::pair<std::size_t, std::size_t>> plan;  // where in the source, how many bytes
  for (std::size_t i = 0; i < kMessages; ++i) {
    const std::size_t bytes = random_bytes(random);
    plan.emplace_back(random() % (kSourceBytes - bytes), bytes);
  }
  std::size_t sent = 0, posted = 0, received = 0;
  std::vector<UnderWay> sends, receives;
  const auto has_place = [](const std::vector<UnderWay>& under_way, std::size_t next) {
    return under_way.empty() || next - under_way.front().index < Places::kCount;
  };
  const auto pick = [&](std::vector<UnderWay>& under_way) {
    return under_way.begin() + static_cast<std::ptrdiff_t>(random() % under_way.size());
  };
  const Deadline deadline = Deadline::after(Milliseconds(120000));
  while (received < kMessages) {
    ASSERT_FALSE(deadline.expired()) << sent << " sent, " << received << " received";
    const std::uint64_t mood = random() % 8;  // who gets on for a while
    for (std::uint64_t step = random() % 50; step > 0; --step) {
      if (mood != 0 && sent < kMessages && random() % 4 == 0 && has_place(sends, sent)) {
        const auto [offset, bytes] = plan[sent];
        sends.push_back({pair.send(offset, bytes), sent, offset, bytes, bytes});
        ++sent;
      }
      if (mood > 2 && posted < kMessages && random() % 4 == 0 && has_place(receives, posted)) {
        const auto [offset, bytes] = plan[posted];
        UnderWay message{nullptr, posted, offset, bytes, bytes + random() % 2 * 4096};
        places.clear(message);
        message.request = pair.receive(Places::offset(message), message.capacity);
        receives.push_back(message);
        ++posted;
      }
      if (!sends.empty()) {
        const auto at = pick(sends);
        const auto result = pair.sender().test(at->request);
        ASSERT_TRUE(result.ok()) << result.error().message();
        if (result->done) sends.erase(at);
      }
      if (!receives.empty()) {
        const auto at = pick(receives);
        const auto result = pair.receiver().test(at->request);
        ASSERT_TRUE(result.ok()) << result.error().message();
        if (!result->done) continue;
        ASSERT_EQ(result->bytes, at->bytes);
        places.check(*at, pair.from().data());
        receives.erase(at);
        ++received;
      }
      if (HasFailure()) return;
    }
  }
}

TEST_P(TcpStriping, AReceiverThatPostsLateGetsEverything) {
  constexpr std::size_t kEach = 2 * kMiB;
  constexpr std::size_t kCount = 8;
  TcpPair pair = connect(kCount * kEach);
  fill_pattern(pair.from().span(0, kCount * kEach), 3);
  ASSERT_TRUE(pair.move(kEach));  // the further sockets have been made, or are being
  pair.to().reset();
  std::vector<Request*> sends, receives;
  for (std::size_t i = 0; i < kCount; ++i) sends.push_back(pair.send(i * kEach, kEach));
  // As long as it may be: until the sockets take no more.
  std::uint64_t last = 0;
  int still = 0;
  ASSERT_TRUE(eventually([&] {
    std::erase_if(sends, [&](Request* request) {
      const auto result = pair.sender().test(request);
      EXPECT_TRUE(result.ok());
      return !result.ok() || result->done;
    });
    std::uint64_t now = 0;
    for (const SocketTraffic& socket : connected_sockets()) now += socket.sent;
    still = now == last ? still + 1 : 0;
    last = now;
    return still > 50 || HasFailure();
  }));
  EXPECT_TRUE(pair.to().untouched_outside(0, 0));
  for (std::size_t i = 0; i < kCount; ++i) receives.push_back(pair.receive(i * kEach, kEach));
  ASSERT_TRUE(pair.finish(sends, receives));
  EXPECT_EQ(pattern_mismatch(pair.to().span(0, kCount * kEach), 3), "");
}

TEST_P(TcpStriping, WhatWasSentBeforeTheSenderWentStillArrives) {
  constexpr std::size_t kEach = kLarge;
  constexpr std::size_t kCount = 16;
  constexpr std::size_t kLate = 3;  // so many fit into the kernel's buffers, without a receive
  for (int round = 0; round < 10; ++round) {
    TcpPair pair = connect(kCount * kEach);
    fill_pattern(pair.from().span(0, kCount * kEach), 5);
    ASSERT_TRUE(pair.move(kEach));
    std::vector<Request*> sends, receives;
    for (std::size_t i = 0; i < kCount; ++i) sends.push_back(pair.send(i * kEach, kEach));
    for (std::size_t i = 0; i < kCount - kLate; ++i)
      receives.push_back(pair.receive(i * kEach, kEach));
    const Deadline deadline = Deadline::after(kPairPatience);
    while (!sends.empty()) {
      ASSERT_FALSE(deadline.expired());
      std::erase_if(sends, [&](Request* request) { return pair.sender().test(request)->done; });
      std::erase_if(receives,
                    [&](Request* request) { return pair.receiver().test(request)->done; });
    }
    pair.end_sender();
    for (std::size_t i = kCount - kLate; i < kCount; ++i)
      receives.push_back(pair.receive(i * kEach, kEach));
    ASSERT_TRUE(pair.finish({}, receives));
    EXPECT_EQ(pattern_mismatch(pair.to().span(0, kCount * kEach), 5), "");
  }
}

}  // namespace
}  // namespace hawser
