// Transfers that are cancelled, or run out of their time.
#include <random>
#include <thread>

#include "engine/fixture.h"
#include "support/seed.h"

namespace hawser::test {
namespace {

using StopCancel = EngineTest;

bool well_or(const Status& status, Code code) {
  return status.ok() || status.error().code() == code;
}

TEST_P(StopCancel, ASendThatNobodyReceives) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{100}, variant().chunk() + 1}) {
    const auto from = near_piece(bytes);
    const auto to = far_piece(bytes);
    const Transfer send = near().send(1, from->region.span(0, bytes));
    ASSERT_OK(outcome(near().notify("sent")));
    next_notification(far());
    EXPECT_FALSE(send.done());
    send.cancel();
    send.cancel();
    EXPECT_CODE(outcome(send), Code::cancelled);
    ASSERT_OK(from->region.deregister());
    // The receive meets the next message, not that one.
    const auto other = near_piece(bytes);
    other->memory.fill(3);
    const Transfer receive = far().recv(1, to->region.span(0, bytes));
    ASSERT_OK(outcome(near().send(1, other->region.span(0, bytes))));
    ASSERT_OK(outcome(receive));
    EXPECT_EQ(to->memory.mismatch(3, 0, bytes), "");
  }
}

TEST_P(StopCancel, AReceiveThatGetsNothing) {
  const auto from = near_piece(100);
  const auto to = far_piece(100);
  const Transfer first = far().recv(1, to->region.span(0, 100));
  const Transfer second = far().recv(1, to->region.span(0, 100));
  first.cancel();
  EXPECT_CODE(outcome(first), Code::cancelled);
  from->memory.fill(2);
  ASSERT_OK(outcome(near().send(1, from->region.span(0, 100))));
  ASSERT_OK(outcome(second));
  EXPECT_EQ(to->memory.mismatch(2, 0, 100), "");
}

// Whatever it was, when it has ended nobody touches its memory; and the link goes on.
TEST_P(StopCancel, OfEachKindAtRandomMoments) {
  std::mt19937_64 random(seed_of_this_run());
  const std::size_t bytes = 6 * variant().chunk() + 3;
  for (int round = 0; round < 40; ++round) {
    const auto here = near_piece(bytes);
    const auto there = far_piece(bytes);
    const std::size_t length = random() % 2 == 0 ? bytes : random() % 9000;
    Transfer transfer, other;
    const auto kind = random() % 4;
    TransferOptions told;
    if (random() % 2 == 0) told.notification = "told";
    if (kind == 0) transfer = near().write(here->region.span(0, length), there->remote.at(0), told);
    if (kind == 1) transfer = near().read(here->region.span(0, length), there->remote.at(0));
    if (kind == 2) transfer = near().send(1, here->region.span(0, length));
    if (kind > 1) other = far().recv(1, there->region.span(0, length));
    if (kind == 3) {
      transfer = other;
      other = near().send(1, here->region.span(0, length));
    }
    const std::uint64_t some = random() % (length + 1);
    if (random() % 2 == 0) {
      EXPECT_TRUE(eventually([&] { return transfer.done() || transfer.bytes_done() >= some; }));
    }
    transfer.cancel();
    const Status came = outcome(transfer);
    EXPECT_TRUE(well_or(came, Code::cancelled)) << came.error().message();
    if (other.bytes() > 0) other.cancel();
    static_cast<void>(outcome(other));
    ASSERT_OK(here->region.deregister());
    ASSERT_OK(there->region.deregister());
    here->memory.wipe();
    there->memory.wipe();
    while (far().take_notification()) {
    }
    ASSERT_OK(outcome(near().notify("end")));
    EXPECT_EQ(next_notification(far()), "end");
    EXPECT_TRUE(here->memory.untouched_outside(0, 0));
    EXPECT_TRUE(there->memory.untouched_outside(0, 0));
  }
}

// The other side of a message that is taken back in the middle learns of it.
TEST_P(StopCancel, InTheMiddleEndsBothSides) {
  const std::size_t bytes = 40 * variant().chunk();
  for (const bool sender_cancels : {true, false}) {
    const auto from = near_piece(bytes);
    const auto to = far_piece(bytes);
    const Transfer send = near().send(1, from->region.span(0, bytes));
    const Transfer receive = far().recv(1, to->region.span(0, bytes));
    EXPECT_TRUE(eventually([&] { return receive.done() || receive.bytes_done() > 0; }));
    (sender_cancels ? send : receive).cancel();
    const Status sent = outcome(send);
    const Status received = outcome(receive);
    EXPECT_TRUE(well_or(sent, Code::cancelled)) << sent.error().message();
    EXPECT_TRUE(well_or(received, Code::cancelled)) << received.error().message();
    if (sent.ok()) EXPECT_OK(received);
  }
}

TEST_P(StopCancel, OwnTimeLimits) {
  const auto from = near_piece(100);
  TransferOptions options;
  options.timeout_ms = 30;
  EXPECT_CODE(outcome(near().recv(1, from->region.span(0, 100), options)), Code::timeout);
  EXPECT_CODE(outcome(near().send(2, from->region.span(0, 100), options)), Code::timeout);
  options.timeout_ms = kPatienceMs;
  const auto to = far_piece(100);
  EXPECT_OK(outcome(near().write(from->region.span(0, 100), to->remote.at(0), options)));
  EXPECT_OK(outcome(near().read(from->region.span(0, 100), to->remote.at(0), options)));
}

TEST_P(StopCancel, OfManyByOneThreadWhileAnotherSubmits) {
  const std::size_t bytes = variant().chunk() / 4 + 10;
  constexpr std::size_t kCount = 200;
  const auto here = near_piece(kCount * bytes);
  const auto there = far_piece(kCount * bytes);
  std::vector<Transfer> transfers(kCount);
  std::atomic<std::size_t> submitted{0};
  std::thread canceller([&] {
    for (std::size_t i = 0; i < kCount; ++i) {
      while (submitted.load() <= i) std::this_thread::yield();
      if (i % 3 != 0) transfers[i].cancel();
    }
  });
  for (std::size_t i = 0; i < kCount; ++i) {
    transfers[i] =
        i % 2 == 0 ? near().write(here->region.span(i * bytes, bytes), there->remote.at(i * bytes))
                   : near().read(here->region.span(i * bytes, bytes), there->remote.at(i * bytes));
    submitted.store(i + 1);
  }
  canceller.join();
  for (std::size_t i = 0; i < kCount; ++i) {
    const Status came = outcome(transfers[i]);
    if (i % 3 == 0)
      EXPECT_OK(came);
    else
      EXPECT_TRUE(well_or(came, Code::cancelled)) << came.error().message();
  }
}

HAWSER_ENGINE_SUITE(StopCancel);

}  // namespace
}  // namespace hawser::test
