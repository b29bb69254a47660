// Transfers that wait for a user's CUDA stream, and nobody else who does.
#include <gtest/gtest.h>

#include <future>
#include <utility>
#include <vector>

#include "engine/fixture.h"
#include "memory/buffer.h"
#include "support/user_stream.h"

namespace hawser::test {
namespace {

class StreamOrder : public EngineTest {
 protected:
  static constexpr std::size_t kSmall = 1000;
  static constexpr std::size_t kParts = 20;

  void SetUp() override {
    EngineTest::SetUp();
    if (IsSkipped()) return;
    user_ = std::make_unique<UserStream>(*simulated_gpu(), UserStream::create(*simulated_gpu()));
    here_ = near_piece(bytes());
    other_ = near_piece(bytes());
    there_ = far_piece(bytes());
    received_ = far_piece(bytes());
    from_ = near_piece(kSmall);
    to_ = far_piece(kSmall);
    staging_.emplace(*Buffer::pinned(simulated_gpu(), bytes()));
    here_->memory.fill(1);
    there_->memory.fill(3);
  }
  void TearDown() override {
    user_.reset();
    EngineTest::TearDown();
  }

  std::size_t bytes() const { return 3 * variant().chunk() + 5; }
  std::size_t part() const { return bytes() / kParts; }
  TransferOptions after_user() const {
    TransferOptions options;
    options.cuda_stream = user_->handle();
    return options;
  }
  // The user's stream brings the pattern of 2 here, once its gate is open.
  void user_writes() {
    std::vector<std::byte> pattern(bytes());
    fill_pattern(pattern, 2);
    ASSERT_OK(staging_->write(0, pattern));
    user_->close_gate();
    user_->copy(here_->memory.data(), staging_->range().data, bytes());
  }
  // The user's stream looks at what is here, once its gate is open.
  void user_reads() {
    user_->close_gate();
    user_->copy(staging_->range().data, here_->memory.data(), bytes());
  }
  void expect_user_read(std::uint64_t seed) {
    std::vector<std::byte> seen(bytes());
    ASSERT_OK(staging_->read(0, seen));
    EXPECT_EQ(pattern_mismatch(seen, seed), "");
  }
  // More of them than there are slots anywhere, both ways.
  void expect_others_get_on() {
    for (int i = 0; i < 40; ++i) {
      ASSERT_OK(outcome(near().write(from_->region.span(0, kSmall), to_->remote.at(0))));
      ASSERT_OK(outcome(far().write(to_->region.span(0, kSmall), from_->remote.at(0))));
    }
  }
  void expect_no_channel_failed() {
    for (const Link& link : {near(), far()})
      for (const ChannelReport& channel : link.report().channels)
        EXPECT_EQ(channel.failures, 0u) << channel.last_failure;
  }

  std::unique_ptr<UserStream> user_;
  // Made before any gate is closed: the driver waits for all streams where memory is given back.
  std::unique_ptr<Piece> here_, other_, there_, received_, from_, to_;
  std::optional<Buffer> staging_;
};

TEST_P(StreamOrder, WritesAndSendsReadWhatTheStreamWrote) {
  user_writes();
  const Transfer receive = far().recv(7, received_->region.span(0, bytes()));
  std::vector<Transfer> held;
  for (std::size_t i = 0; i < kParts; ++i)
    held.push_back(
        near().write(here_->region.span(i * part(), i + 1 < kParts ? part() : bytes() - i * part()),
                     there_->remote.at(i * part()), after_user()));
  held.push_back(near().send(7, here_->region.span(0, bytes()), after_user()));
  expect_others_get_on();
  for (const Transfer& transfer : held) EXPECT_FALSE(transfer.done());
  EXPECT_EQ(there_->memory.mismatch(3, 0, bytes()), "");
  user_->open_gate();
  for (const Transfer& transfer : held) ASSERT_OK(outcome(transfer));
  ASSERT_OK(outcome(receive));
  EXPECT_EQ(there_->memory.mismatch(2, 0, bytes()), "");
  EXPECT_EQ(received_->memory.mismatch(2, 0, bytes()), "");
}

TEST_P(StreamOrder, ReadsOverwriteNothingThatTheStreamReads) {
  user_reads();
  const Transfer read =
      near().read(here_->region.span(0, bytes()), there_->remote.at(0), after_user());
  expect_others_get_on();
  EXPECT_FALSE(read.done());
  user_->open_gate();
  ASSERT_OK(outcome(read));
  expect_user_read(1);
  EXPECT_EQ(here_->memory.mismatch(3, 0, bytes()), "");
}

// Whether the message or the receive is there first.
TEST_P(StreamOrder, ReceivesOverwriteNothingThatTheStreamReads) {
  for (const bool sent_first : {false, true}) {
    here_->memory.fill(1);
    user_reads();
    Transfer send, receive;
    if (sent_first) {
      send = far().send(7, there_->region.span(0, bytes()));
      expect_others_get_on();
    }
    receive = near().recv(7, here_->region.span(0, bytes()), after_user());
    if (!sent_first) send = far().send(7, there_->region.span(0, bytes()));
    expect_others_get_on();
    EXPECT_FALSE(send.done() || receive.done());
    user_->open_gate();
    ASSERT_OK(outcome(send));
    ASSERT_OK(outcome(receive));
    expect_user_read(1);
    EXPECT_EQ(here_->memory.mismatch(3, 0, bytes()), "");
  }
}

// A stream that takes longer than a channel may stand still is nobody's fault.
TEST_P(StreamOrder, ASlowStreamCostsNoChannel) {
  user_reads();
  const Transfer read =
      near().read(here_->region.span(0, bytes()), there_->remote.at(0), after_user());
  const Transfer write =
      near().write(other_->region.span(0, 1000), received_->remote.at(0), after_user());
  const TimePoint until = Clock::system().now() + Milliseconds(kStallMs + 300);
  while (Clock::system().now() < until) expect_others_get_on();
  EXPECT_FALSE(read.done() || write.done());
  user_->open_gate();
  ASSERT_OK(outcome(read));
  ASSERT_OK(outcome(write));
  expect_no_channel_failed();
}

// The owner of the other region waits for those, too, where it says so.
TEST_P(StreamOrder, DeregisteringWaitsForWhatWaits) {
  user_reads();
  const Transfer read =
      near().read(here_->region.span(0, bytes()), there_->remote.at(0), after_user());
  const Transfer write =
      near().write(other_->region.span(0, 1000), received_->remote.at(0), after_user());
  auto gone = std::async(std::launch::async, [&] {
    return std::pair(there_->region.deregister(), received_->region.deregister());
  });
  expect_others_get_on();
  EXPECT_EQ(gone.wait_for(Milliseconds(20)), std::future_status::timeout);
  EXPECT_FALSE(read.done() || write.done());
  user_->open_gate();
  ASSERT_OK(outcome(read));
  ASSERT_OK(outcome(write));
  const auto [first, second] = gone.get();
  EXPECT_OK(first);
  EXPECT_OK(second);
  EXPECT_EQ(here_->memory.mismatch(3, 0, bytes()), "");
}

TEST_P(StreamOrder, WhatWaitsCanBeTakenBack) {
  TransferOptions bounded = after_user();
  bounded.timeout_ms = 50;
  user_writes();
  const Transfer write =
      near().write(here_->region.span(0, bytes()), there_->remote.at(0), after_user());
  const Transfer read =
      near().read(here_->region.span(0, bytes()), there_->remote.at(0), after_user());
  const Transfer receive = near().recv(7, here_->region.span(0, bytes()), after_user());
  const Transfer late = near().read(here_->region.span(0, bytes()), there_->remote.at(0), bounded);
  const Transfer send = far().send(7, there_->region.span(0, bytes()));
  expect_others_get_on();
  for (const Transfer& transfer : {write, read, receive}) transfer.cancel();
  for (const Transfer& transfer : {write, read, receive})
    EXPECT_CODE(outcome(transfer), Code::cancelled);
  EXPECT_CODE(outcome(late), Code::timeout);
  EXPECT_CODE(outcome(send), Code::cancelled);
  const Transfer failed =
      near().write(here_->region.span(0, bytes()), there_->remote.at(0), after_user());
  ASSERT_OK(here_->region.deregister(InFlight::fail, kPatienceMs));
  EXPECT_CODE(outcome(failed), Code::cancelled);
  user_->open_gate();
  expect_others_get_on();
  EXPECT_EQ(there_->memory.mismatch(3, 0, bytes()), "");
}

// Memory of the host has no streams.
std::vector<Variant> with_a_gpu() {
  std::vector<Variant> some = variants();
  std::erase_if(some, [](const Variant& variant) { return variant.near != Place::gpu; });
  return some;
}
INSTANTIATE_TEST_SUITE_P(Engine, StreamOrder, testing::ValuesIn(with_a_gpu()), variant_name);

}  // namespace
}  // namespace hawser::test
