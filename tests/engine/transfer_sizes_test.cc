// One transfer of each length, each way.
#include "engine/fixture.h"

namespace hawser::test {
namespace {

using TransferSizes = EngineTest;

constexpr std::size_t kOdd = 3;  // where the data starts: not aligned to anything

TEST_P(TransferSizes, Write) {
  for (const std::size_t bytes : lengths()) {
    const auto from = near_piece(bytes + 2 * kOdd);
    const auto to = far_piece(bytes + 2 * kOdd);
    from->memory.fill(bytes, 2 * kOdd, bytes);
    const Transfer write = near().write(from->region.span(2 * kOdd, bytes), to->remote.at(kOdd));
    ASSERT_OK(outcome(write));
    EXPECT_EQ(to->memory.mismatch(bytes, kOdd, bytes), "") << bytes;
    EXPECT_TRUE(to->memory.untouched_outside(kOdd, bytes)) << bytes;
    EXPECT_EQ(write.bytes(), bytes);
    EXPECT_EQ(write.bytes_done(), bytes);
  }
}

TEST_P(TransferSizes, WriteByTheServer) {
  for (const std::size_t bytes : lengths()) {
    const auto from = far_piece(bytes);
    const auto to = near_piece(bytes + 2 * kOdd);
    from->memory.fill(bytes);
    ASSERT_OK(outcome(far().write(from->region.span(0, bytes), to->remote.at(kOdd))));
    EXPECT_EQ(to->memory.mismatch(bytes, kOdd, bytes), "") << bytes;
    EXPECT_TRUE(to->memory.untouched_outside(kOdd, bytes)) << bytes;
  }
}

TEST_P(TransferSizes, Read) {
  for (const std::size_t bytes : lengths()) {
    const auto to = near_piece(bytes + 2 * kOdd);
    const auto from = far_piece(bytes + 2 * kOdd);
    from->memory.fill(bytes, 2 * kOdd, bytes);
    const Transfer read = near().read(to->region.span(kOdd, bytes), from->remote.at(2 * kOdd));
    ASSERT_OK(outcome(read));
    EXPECT_EQ(to->memory.mismatch(bytes, kOdd, bytes), "") << bytes;
    EXPECT_TRUE(to->memory.untouched_outside(kOdd, bytes)) << bytes;
    EXPECT_EQ(read.bytes(), bytes);
    EXPECT_EQ(read.bytes_done(), bytes);
  }
}

TEST_P(TransferSizes, SendToAReceiveThatWaits) {
  for (const std::size_t bytes : lengths()) {
    const auto from = near_piece(bytes);
    const auto to = far_piece(bytes + 2 * kOdd);
    from->memory.fill(bytes);
    const Transfer receive = far().recv(7, to->region.span(kOdd, bytes + kOdd));
    const Transfer send = near().send(7, from->region.span(0, bytes));
    ASSERT_OK(outcome(receive));
    EXPECT_EQ(to->memory.mismatch(bytes, kOdd, bytes), "") << bytes;
    EXPECT_TRUE(to->memory.untouched_outside(kOdd, bytes)) << bytes;
    EXPECT_EQ(receive.bytes(), bytes);
    EXPECT_EQ(receive.bytes_done(), bytes);
    ASSERT_OK(outcome(send));
    EXPECT_EQ(send.bytes_done(), bytes);
  }
}

TEST_P(TransferSizes, SendThatNobodyExpectsYet) {
  for (const std::size_t bytes : lengths()) {
    const auto from = near_piece(bytes);
    const auto to = far_piece(bytes);
    from->memory.fill(bytes);
    const Transfer send = near().send(7, from->region.span(0, bytes));
    ASSERT_OK(outcome(near().notify("sent")));
    EXPECT_EQ(next_notification(far()), "sent");
    EXPECT_FALSE(send.done());
    ASSERT_OK(outcome(far().recv(7, to->region.span(0, bytes))));
    EXPECT_EQ(to->memory.mismatch(bytes, 0, bytes), "") << bytes;
    ASSERT_OK(outcome(send));
  }
}

// Each piece of a receive may end anywhere in a piece of the message.
TEST_P(TransferSizes, SendOfPiecesToPieces) {
  for (const std::size_t bytes : lengths()) {
    if (bytes < 16) continue;
    const auto from = near_piece(bytes);
    const auto to = far_piece(bytes);
    from->memory.fill(bytes);
    const std::size_t cut = bytes / 3;
    const std::size_t other = bytes / 2 + 1;
    const std::vector<Extent> sent = {{0, cut}, {cut, 0}, {cut, bytes - cut}};
    const std::vector<Extent> received = {{bytes - other, other}, {0, bytes - other}};
    const Transfer receive = far().recv(1, to->region, received);
    ASSERT_OK(outcome(near().send(1, from->region, sent)));
    ASSERT_OK(outcome(receive));
    std::vector<std::byte> whole = to->memory.get(bytes - other, other);
    const std::vector<std::byte> rest = to->memory.get(0, bytes - other);
    whole.insert(whole.end(), rest.begin(), rest.end());
    EXPECT_EQ(pattern_mismatch(whole, bytes), "") << bytes;
  }
}

HAWSER_ENGINE_SUITE(TransferSizes);

}  // namespace
}  // namespace hawser::test
