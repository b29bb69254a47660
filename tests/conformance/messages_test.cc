// What a message is: every byte, in its place, in order, and nothing else.
#include <random>

#include "conformance/fixture.h"

namespace hawser::test {
namespace {

constexpr std::size_t kLargest = 8 * 1024 * 1024;

TEST_P(NetConformance, EverySizeArrivesWhole) {
  const std::size_t largest = request_bytes(kLargest);
  const auto channel = make_channel(largest);
  ASSERT_NE(channel, nullptr);
  std::uint64_t seed = 0;
  for (const std::size_t bytes :
       {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{4095}, std::size_t{4096},
        std::size_t{4097}, std::size_t{16384}, std::size_t{65537}, std::size_t{512 * 1024}, largest,
        std::size_t{0}, std::size_t{7}}) {
    if (bytes > largest) continue;
    SCOPED_TRACE(bytes);
    send_and_check(*channel, bytes, ++seed);
  }
}

TEST_P(NetConformance, TheSendMayBePostedLongBeforeTheReceive) {
  const std::size_t bytes = request_bytes(512 * 1024);
  const auto channel = make_channel(bytes);
  ASSERT_NE(channel, nullptr);
  fill_pattern(channel->from.span(0, bytes), 5);
  ASSERT_OK(channel->post_send(0, bytes));
  for (int i = 0; i < 100; ++i) ASSERT_OK(channel->send.poll());
  ASSERT_OK(channel->post_receive(0, bytes));
  ASSERT_OK(channel->drain_both());
  EXPECT_EQ(pattern_mismatch(channel->to.span(0, bytes), 5), "");
}

TEST_P(NetConformance, TheReceiveMayBePostedLongBeforeTheSend) {
  const auto channel = make_channel(kPageBytes);
  ASSERT_NE(channel, nullptr);
  fill_pattern(channel->from.span(0, 100), 6);
  ASSERT_OK(channel->post_receive(0, 100));
  for (int i = 0; i < 100; ++i) {
    const auto done = channel->receive.poll();
    ASSERT_OK(done);
    ASSERT_FALSE(*done);
  }
  ASSERT_OK(channel->post_send(0, 100));
  ASSERT_OK(channel->drain_both());
  EXPECT_EQ(pattern_mismatch(channel->to.span(0, 100), 6), "");
}

TEST_P(NetConformance, AReceiveMayBeLargerThanTheSend) {
  const std::size_t capacity = request_bytes(64 * 1024);
  const auto channel = make_channel(capacity);
  ASSERT_NE(channel, nullptr);
  for (const std::size_t bytes : {least_bytes(), std::size_t{1}, std::size_t{5000}}) {
    SCOPED_TRACE(bytes);
    fill_pattern(channel->from.span(0, bytes), bytes);
    channel->to.reset();
    ASSERT_OK(channel->post_receive(0, capacity));
    ASSERT_OK(channel->post_send(0, bytes));
    ASSERT_OK(channel->drain_both());
    EXPECT_EQ(pattern_mismatch(channel->to.span(0, bytes), bytes), "");
    EXPECT_TRUE(channel->to.untouched_outside(0, capacity));
    if (capabilities().reports_received_bytes) {
      EXPECT_EQ(channel->receive.received().back(), bytes);
    }
  }
}

TEST_P(NetConformance, ReceivesMatchSendsInPostingOrder) {
  constexpr std::size_t kSlot = 256;
  const auto count = static_cast<std::size_t>(capabilities().max_requests);
  const auto channel = make_channel(count * kSlot);
  ASSERT_NE(channel, nullptr);
  const auto bytes_of = [&](std::size_t i) { return i % 3 == 0 ? least_bytes() : 200 + i; };
  for (std::size_t i = 0; i < count; ++i) fill_pattern(channel->from.span(i * kSlot, kSlot), i);
  for (std::size_t i = 0; i < count; ++i)
    ASSERT_OK(channel->post_receive(i * kSlot, kSlot, static_cast<int>(i)));
  for (std::size_t i = 0; i < count; ++i)
    ASSERT_OK(channel->post_send_polling_both(i * kSlot, bytes_of(i), static_cast<int>(i)));
  ASSERT_OK(channel->drain_both());
  for (std::size_t i = 0; i < count; ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(pattern_mismatch(channel->to.span(i * kSlot, bytes_of(i)), i), "");
  }
}

TEST_P(NetConformance, PartsOfOneRegistrationAreSentFromAndReceivedInto) {
  constexpr std::size_t kBytes = 128 * 1024;
  const auto channel = make_channel(kBytes);
  ASSERT_NE(channel, nullptr);
  for (const auto& [offset, bytes] : {std::pair<std::size_t, std::size_t>{0, 4096},
                                      {4096, 4096},
                                      {8192, 1},
                                      {8193, 4095},
                                      {12345, 6789},
                                      {kBytes - 1, 1},
                                      {kBytes - 4096, 4096}}) {
    SCOPED_TRACE(offset);
    channel->to.reset();
    fill_pattern(channel->from.span(offset, bytes), offset);
    ASSERT_OK(channel->post_receive(offset, bytes));
    ASSERT_OK(channel->post_send(offset, bytes));
    ASSERT_OK(channel->drain_both());
    EXPECT_EQ(pattern_mismatch(channel->to.span(offset, bytes), offset), "");
    EXPECT_TRUE(channel->to.untouched_outside(offset, bytes));
  }
}

TEST_P(NetConformance, BothDirectionsCarryDataAtOnce) {
  const std::size_t bytes = request_bytes(512 * 1024);
  const auto there = make_channel(bytes);
  const auto back = make_channel(bytes);
  ASSERT_TRUE(there && back);
  for (std::uint64_t round = 0; round < 8; ++round) {
    for (Channel* channel : {there.get(), back.get()}) {
      fill_pattern(channel->from.span(0, bytes), round);
      ASSERT_OK(channel->post_receive(0, bytes));
      ASSERT_OK(channel->post_send(0, bytes));
    }
    const Deadline deadline = patience();
    for (Backoff backoff; there->receive.in_flight() + back->receive.in_flight() > 0;
         backoff.idle()) {
      ASSERT_FALSE(deadline.expired());
      for (Channel* channel : {there.get(), back.get()}) {
        ASSERT_OK(channel->send.poll());
        ASSERT_OK(channel->receive.poll());
      }
    }
    for (Channel* channel : {there.get(), back.get()}) {
      ASSERT_OK(drain(channel->send, patience()));
      EXPECT_EQ(pattern_mismatch(channel->to.span(0, bytes), round), "");
    }
  }
}

TEST_P(NetConformance, RandomSizesArriveWhole) {
  std::mt19937_64 random(random_seed());
  const std::size_t largest = request_bytes(256 * 1024);
  const auto channel = make_channel(largest);
  ASSERT_NE(channel, nullptr);
  for (int i = 0; i < 200; ++i) {
    // As many small ones as large ones.
    const std::size_t limit = std::size_t{1} << (random() % 19);
    const std::size_t bytes = random() % (std::min(limit, largest) + 1);
    SCOPED_TRACE(bytes);
    send_and_check(*channel, bytes, random());
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace hawser::test
