// Where pieces belong, and what no correct peer sends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "net/tcp/receive_board.h"
#include "support/seed.h"

namespace hawser::tcp {
namespace {

using test::seed_of_this_run;
using testing::HasSubstr;

class Nobody final : public IoTask {
 public:
  Wait drive() override { return Wait::never; }
};

FrameHeader piece(std::uint32_t sequence, std::uint64_t total, std::uint64_t offset,
                  std::uint64_t bytes) {
  return {FrameType::piece, 7, sequence, total, offset, bytes};
}

// A board with a buffer to post.
class TcpReceiveBoard : public testing::Test {
 protected:
  ReceiveMessage* post(std::size_t capacity = kBytes) {
    return board_.post(buffer_.data(), capacity);
  }
  // A piece comes, begun and ended.
  void take(const FrameHeader& header) {
    const auto place = board_.find(header, nullptr);
    ASSERT_TRUE(place.ok()) << place.error().message();
    ASSERT_NE(place->message, nullptr);
    EXPECT_EQ(place->data, place->message->data + header.offset);
    board_.finish(*place->message, header);
  }
  std::string refusal(const FrameHeader& header) {
    const auto place = board_.find(header, nullptr);
    EXPECT_FALSE(place.ok());
    if (place.ok()) return "";
    EXPECT_EQ(place.error().code(), Code::protocol);
    return place.error().message();
  }
  bool is_posted(const FrameHeader& header, IoTask* waiting = nullptr) {
    const auto place = board_.find(header, waiting);
    EXPECT_TRUE(place.ok());
    return place.ok() && place->message != nullptr;
  }

  static constexpr std::size_t kBytes = 1000;
  std::vector<std::byte> buffer_{kBytes};
  ReceiveBoard board_;
};

TEST_F(TcpReceiveBoard, AMessageIsDoneWhenAllItsPiecesHaveCome) {
  ReceiveMessage* const message = post();
  EXPECT_EQ(board_.awaited(), 1u);
  EXPECT_EQ(board_.state_of(*message), "no byte of this message came");
  take(piece(0, 100, 40, 60));
  EXPECT_FALSE(message->done());
  EXPECT_EQ(board_.state_of(*message), "60 of 100 bytes received");
  take(piece(0, 100, 0, 40));
  EXPECT_TRUE(message->done());
  EXPECT_EQ(message->total, 100u);
  EXPECT_EQ(board_.awaited(), 0u);
}

TEST_F(TcpReceiveBoard, PiecesOfOneMessageMayBeUnderWayOnSeveralFlows) {
  ReceiveMessage* const message = post();
  const FrameHeader front = piece(0, 100, 0, 50), back = piece(0, 100, 50, 50);
  const auto one = board_.find(front, nullptr);
  const auto other = board_.find(back, nullptr);
  ASSERT_TRUE(one.ok() && other.ok());
  board_.finish(*other->message, back);
  EXPECT_FALSE(message->done());
  board_.finish(*one->message, front);
  EXPECT_TRUE(message->done());
}

TEST_F(TcpReceiveBoard, AnEmptyMessageCountsItsOnePiece) {
  ReceiveMessage* const message = post();
  EXPECT_FALSE(message->done());
  take(piece(0, 0, 0, 0));
  EXPECT_TRUE(message->done());
  EXPECT_EQ(message->total, 0u);
}

TEST_F(TcpReceiveBoard, AReceiveOfNoBytesTakesAnEmptyMessageOnly) {
  ASSERT_NE(board_.post(nullptr, 0), nullptr);
  EXPECT_THAT(refusal(piece(0, 1, 0, 1)), HasSubstr("has 1 bytes"));
  take(piece(0, 0, 0, 0));
}

TEST_F(TcpReceiveBoard, APieceThatComesBeforeItsReceiveWaits) {
  Nobody early;
  const FrameHeader header = piece(0, 10, 0, 10);
  EXPECT_FALSE(is_posted(header, &early));
  std::array<IoTask*, 4> arrived{};
  EXPECT_EQ(board_.arrived(arrived), 0u);
  post();
  ASSERT_EQ(board_.arrived(arrived), 1u);
  EXPECT_EQ(arrived[0], &early);
  EXPECT_EQ(board_.arrived(arrived), 0u) << "it has been told";
  take(header);
}

TEST_F(TcpReceiveBoard, OnlyThoseWhoseReceiveIsThereAreTold) {
  Nobody first, second, third;
  EXPECT_FALSE(is_posted(piece(2, 10, 0, 10), &third));
  EXPECT_FALSE(is_posted(piece(0, 10, 0, 5), &first));
  EXPECT_FALSE(is_posted(piece(1, 10, 0, 10), &second));
  std::array<IoTask*, 4> arrived{};
  post();
  ASSERT_EQ(board_.arrived(arrived), 1u);
  EXPECT_EQ(arrived[0], &first);
  post();
  post();
  ASSERT_EQ(board_.arrived(std::span(arrived).first(1)), 1u) << "no more than fit";
  IoTask* const told = arrived[0];
  ASSERT_EQ(board_.arrived(arrived), 1u);
  EXPECT_THAT((std::array{told, arrived[0]}),
              testing::UnorderedElementsAre(&second, static_cast<IoTask*>(&third)));
}

TEST_F(TcpReceiveBoard, WhoDoesNotWaitIsNotTold) {
  EXPECT_FALSE(is_posted(piece(0, 10, 0, 10), nullptr));
  post();
  std::array<IoTask*, 4> arrived{};
  EXPECT_EQ(board_.arrived(arrived), 0u);
}

TEST_F(TcpReceiveBoard, TheWindowIsFullUntilTheOldestIsTestedToItsEnd) {
  std::vector<ReceiveMessage*> messages;
  for (std::size_t i = 0; i < kMaxRequests; ++i) messages.push_back(post());
  EXPECT_EQ(post(), nullptr);
  EXPECT_EQ(board_.awaited(), kMaxRequests) << "what was refused is not awaited";
  take(piece(0, 5, 0, 5));
  board_.window().release(*messages[0]);
  EXPECT_EQ(post(), messages[0]);
  EXPECT_FALSE(messages[0]->done()) << "the place is that of a new message now";
  take(piece(kMaxRequests, 6, 0, 6));
  EXPECT_EQ(messages[0]->total, 6u);
}

TEST_F(TcpReceiveBoard, AMessageLargerThanItsReceiveIsRefused) {
  post(99);
  EXPECT_THAT(refusal(piece(0, 100, 0, 10)), HasSubstr("has 100 bytes, the receive posted"));
  EXPECT_THAT(refusal(piece(0, kMaxMessageBytes, kMaxMessageBytes - 1, 1)), HasSubstr("only 99"));
  take(piece(0, 99, 0, 99));
}

TEST_F(TcpReceiveBoard, PiecesMustAgreeOnTheTotal) {
  post();
  take(piece(0, 100, 0, 10));
  EXPECT_THAT(refusal(piece(0, 101, 10, 10)), HasSubstr("has 100 bytes by one piece, 101"));
  EXPECT_THAT(refusal(piece(0, 0, 0, 0)), HasSubstr("0 by another"));
}

TEST_F(TcpReceiveBoard, TheSamePieceTwiceIsMoreThanTheMessage) {
  ReceiveMessage* const message = post();
  take(piece(0, 100, 0, 60));
  EXPECT_THAT(refusal(piece(0, 100, 0, 60)), HasSubstr("more pieces of message 0"));
  EXPECT_FALSE(message->done());
}

TEST_F(TcpReceiveBoard, APieceThatIsUnderWayCountsAlready) {
  post();
  const FrameHeader whole = piece(0, 100, 0, 100);
  const auto place = board_.find(whole, nullptr);
  ASSERT_TRUE(place.ok());
  EXPECT_THAT(refusal(whole), HasSubstr("more pieces"));
  EXPECT_THAT(refusal(piece(0, 100, 99, 1)), HasSubstr("more pieces"));
  board_.finish(*place->message, whole);
  EXPECT_TRUE(place->message->done());
}

TEST_F(TcpReceiveBoard, AnEmptyMessageComesOnce) {
  post();
  ASSERT_TRUE(is_posted(piece(0, 0, 0, 0)));
  EXPECT_THAT(refusal(piece(0, 0, 0, 0)), HasSubstr("more pieces"));
}

// Overlaps spoil the sender's own message; what matters is that no more bytes are taken than the
// message has, and that it does not end while one of them is still being read.
TEST_F(TcpReceiveBoard, OverlappingPiecesTakeNoMoreBytesThanTheMessageHas) {
  ReceiveMessage* const message = post();
  const FrameHeader slow = piece(0, 100, 30, 40);
  ASSERT_TRUE(is_posted(slow));
  take(piece(0, 100, 20, 40));
  EXPECT_THAT(refusal(piece(0, 100, 50, 40)), HasSubstr("more pieces"));
  take(piece(0, 100, 0, 20));
  EXPECT_FALSE(message->done());
  board_.finish(*message, slow);
  EXPECT_TRUE(message->done());
}

TEST_F(TcpReceiveBoard, APieceOfAMessageThatHasEndedIsRefused) {
  ReceiveMessage* const message = post();
  take(piece(0, 10, 0, 10));
  EXPECT_THAT(refusal(piece(0, 10, 0, 10)), HasSubstr("which has ended"));
  board_.window().release(*message);
  EXPECT_THAT(refusal(piece(0, 10, 0, 10)), HasSubstr("which has ended"));
}

TEST_F(TcpReceiveBoard, AStaleSequenceDoesNotReachTheMessageInItsPlace) {
  for (std::uint32_t i = 0; i < 2 * kMaxRequests; ++i) {
    ReceiveMessage* const message = post();
    if (i + 1 == 2 * kMaxRequests) break;
    take(piece(i, 10, 0, 10));
    board_.window().release(*message);
  }
  EXPECT_THAT(refusal(piece(kMaxRequests - 1, 10, 0, 10)), HasSubstr("which has ended"));
  EXPECT_EQ(board_.awaited(), 1u);
}

// Numbers modulo 2^32: half of them lie before the next one, half behind.
TEST_F(TcpReceiveBoard, BeforeTheFirstMessageThereIsNone) {
  EXPECT_THAT(refusal(piece(UINT32_MAX, 10, 0, 10)), HasSubstr("which has ended"));
  EXPECT_THAT(refusal(piece(0x80000000u, 10, 0, 10)), HasSubstr("which has ended"));
  EXPECT_FALSE(is_posted(piece(0x7fffffffu, 10, 0, 10)));
  post();
  EXPECT_THAT(refusal(piece(UINT32_MAX, 10, 0, 10)), HasSubstr("which has ended"));
  EXPECT_FALSE(is_posted(piece(kMaxRequests, 10, 0, 10))) << "the same place, another message";
}

TEST_F(TcpReceiveBoard, ARefusedPieceChangesNothing) {
  ReceiveMessage* const message = post();
  refusal(piece(0, kBytes + 1, 0, 1));
  EXPECT_EQ(board_.state_of(*message), "no byte of this message came");
  take(piece(0, 100, 0, 60));
  refusal(piece(0, 100, 20, 80));
  take(piece(0, 100, 60, 40));
  EXPECT_TRUE(message->done());
}

// Cut at random, in random order, several messages at a time: each is done with its last piece.
TEST_F(TcpReceiveBoard, AnyCutInAnyOrderCompletesAMessageWithItsLastPiece) {
  std::mt19937_64 random(seed_of_this_run());
  std::uint32_t sequence = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<FrameHeader> pieces;
    std::vector<ReceiveMessage*> messages;
    std::vector<std::size_t> left;
    const std::uint32_t first = sequence;
    for (std::size_t n = 1 + random() % kMaxRequests; n > 0; --n, ++sequence) {
      messages.push_back(post());
      ASSERT_NE(messages.back(), nullptr);
      const std::uint64_t total = random() % (kBytes + 1);
      left.push_back(pieces.size());
      if (total == 0) pieces.push_back(piece(sequence, 0, 0, 0));
      for (std::uint64_t offset = 0; offset < total;) {
        const std::uint64_t bytes = 1 + random() % (total - offset);
        pieces.push_back(piece(sequence, total, offset, bytes));
        offset += bytes;
      }
      left.back() = pieces.size() - left.back();
    }
    std::shuffle(pieces.begin(), pieces.end(), random);
    for (const FrameHeader& header : pieces) {
      const std::size_t i = header.sequence - first;
      ASSERT_FALSE(messages[i]->done());
      take(header);
      ASSERT_EQ(messages[i]->done(), --left[i] == 0);
    }
    ASSERT_EQ(board_.awaited(), 0u);
    for (ReceiveMessage* message : messages) board_.window().release(*message);
  }
}

}  // namespace
}  // namespace hawser::tcp
