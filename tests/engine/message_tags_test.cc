// Messages and receives meet by their tags, in order.
#include "engine/fixture.h"

namespace hawser::test {
namespace {

using MessageTags = EngineTest;

TEST_P(MessageTags, OfOneTagInOrder) {
  constexpr std::size_t kMessages = 64;
  const std::size_t slot = variant().chunk() + 5;
  const auto from = near_piece(kMessages * slot);
  const auto to = far_piece(kMessages * slot);
  std::vector<Transfer> sends, receives;
  // Small and large ones: the small ones travel another way, and must not overtake.
  const auto length = [&](std::size_t i) { return i % 3 == 0 ? slot : i % 3 == 1 ? i : 5000 + i; };
  for (std::size_t i = 0; i < kMessages; ++i) {
    from->memory.fill(i, i * slot, length(i));
    if (i % 2 == 0) receives.push_back(far().recv(1, to->region.span(i / 2 * slot, slot)));
    sends.push_back(near().send(1, from->region.span(i * slot, length(i))));
  }
  for (std::size_t i = receives.size(); i < kMessages; ++i)
    receives.push_back(far().recv(1, to->region.span(i * slot, slot)));
  for (std::size_t i = 0; i < kMessages; ++i) {
    ASSERT_OK(outcome(receives[i]));
    EXPECT_EQ(receives[i].bytes(), length(i));
    EXPECT_EQ(to->memory.mismatch(i, i * slot, length(i)), "") << i;
    ASSERT_OK(outcome(sends[i]));
  }
}

TEST_P(MessageTags, OneTagDoesNotWaitForAnother) {
  const std::size_t bytes = variant().chunk() + 1;
  const auto from = near_piece(2 * bytes);
  const auto to = far_piece(2 * bytes);
  from->memory.fill(1, 0, bytes);
  from->memory.fill(2, bytes, bytes);
  const Transfer first = near().send(1, from->region.span(0, bytes));
  const Transfer second = near().send(UINT64_MAX, from->region.span(bytes, bytes));
  ASSERT_OK(outcome(far().recv(UINT64_MAX, to->region.span(bytes, bytes))));
  ASSERT_OK(outcome(second));
  EXPECT_FALSE(first.done());
  ASSERT_OK(outcome(far().recv(1, to->region.span(0, bytes))));
  ASSERT_OK(outcome(first));
  EXPECT_EQ(to->memory.mismatch(1, 0, bytes), "");
  EXPECT_EQ(to->memory.mismatch(2, bytes, bytes), "");
}

TEST_P(MessageTags, TooSmallAReceiveFailsOnBothSides) {
  for (const std::size_t bytes : {std::size_t{10}, std::size_t{9000}, variant().chunk() + 9}) {
    const auto from = near_piece(bytes);
    const auto to = far_piece(bytes);
    for (const bool receive_first : {true, false}) {
      Transfer receive, send;
      if (receive_first) receive = far().recv(4, to->region.span(0, bytes - 1));
      send = near().send(4, from->region.span(0, bytes));
      if (!receive_first) {
        ASSERT_OK(outcome(near().notify("sent")));
        next_notification(far());
        receive = far().recv(4, to->region.span(0, bytes - 1));
      }
      EXPECT_CODE(outcome(receive), Code::invalid_argument);
      EXPECT_CODE(outcome(send), Code::invalid_argument);
    }
    EXPECT_TRUE(to->memory.untouched_outside(0, 0));
    // The tag goes on.
    const Transfer receive = far().recv(4, to->region.span(0, bytes));
    ASSERT_OK(outcome(near().send(4, from->region.span(0, bytes))));
    ASSERT_OK(outcome(receive));
  }
}

// A small message is the caller's again only when it is received, but may have been copied before.
TEST_P(MessageTags, ThousandsOfSmallMessages) {
  constexpr std::size_t kMessages = 3000;
  constexpr std::size_t kBytes = 24;
  const auto from = near_piece(kMessages * kBytes);
  const auto to = far_piece(kMessages * kBytes);
  from->memory.fill(6);
  std::vector<Transfer> transfers;
  for (std::size_t i = 0; i < kMessages; ++i) {
    transfers.push_back(near().send(i % 5, from->region.span(i * kBytes, kBytes)));
    transfers.push_back(far().recv(i % 5, to->region.span(i * kBytes, kBytes)));
  }
  for (const Transfer& transfer : transfers) ASSERT_OK(outcome(transfer));
  EXPECT_EQ(to->memory.mismatch(6, 0, kMessages * kBytes), "");
}

HAWSER_ENGINE_SUITE(MessageTags);

}  // namespace
}  // namespace hawser::test
