// Who of a connection's flows sends which piece of what is posted.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "net/tcp/send_queue.h"
#include "support/seed.h"

namespace hawser::tcp {
namespace {

using test::seed_of_this_run;

// A flow as the queue knows it. It is never driven here.
class IdleTaker final : public IoTask {
 public:
  Wait drive() override { return Wait::never; }
};

constexpr std::size_t kMostBytes = 100 * SendQueue::kMaxPieceBytes;

// What is posted. Nobody reads it: pieces are only computed with it.
const std::byte* memory() {
  static const auto bytes = std::make_unique_for_overwrite<std::byte[]>(kMostBytes);
  return bytes.get();
}

SendMessage* post(SendQueue& queue, std::size_t bytes, int tag = 7) {
  return queue.post(memory(), bytes, tag);
}

std::vector<Piece> claim_as(SendQueue& queue, const SendQueue::Taker& taker, std::size_t room) {
  std::vector<Piece> pieces(room);
  pieces.resize(queue.claim(pieces, taker));
  return pieces;
}

// As a flow that a thread drives.
std::vector<Piece> claim(SendQueue& queue, std::size_t room = 32, IoTask* idle = nullptr) {
  static IdleTaker anybody;
  return claim_as(queue, {idle != nullptr ? idle : &anybody}, room);
}

FrameHeader header_of(const Piece& piece) {
  const auto header = decode_header(std::span<const std::byte, kHeaderBytes>(piece.header));
  EXPECT_TRUE(header.ok()) << header.error().message();
  return header.ok() ? *header : FrameHeader{};
}

// What a flow does once its socket has taken the piece.
void sent(const Piece& piece) {
  piece.message->left.fetch_sub(piece.weight);
}

TEST(TcpSendQueue, OneFlowTakesWholeMessagesInOrderAndManyAtATime) {
  SendQueue queue;
  for (int i = 0; i < 5; ++i) ASSERT_NE(post(queue, 1000, i), nullptr);
  EXPECT_EQ(queue.unclaimed(), 5000u);
  const auto pieces = claim(queue);
  ASSERT_EQ(pieces.size(), 5u);
  for (std::uint32_t i = 0; i < 5; ++i)
    EXPECT_EQ(header_of(pieces[i]), (FrameHeader{FrameType::piece, i, i, 1000, 0, 1000}));
  EXPECT_EQ(queue.unclaimed(), 0u);
  EXPECT_TRUE(claim(queue).empty());
}

TEST(TcpSendQueue, OneFlowTakesALargeMessageWholeAndNothingBehindIt) {
  SendQueue queue;
  ASSERT_NE(post(queue, kMostBytes), nullptr);
  ASSERT_NE(post(queue, 10), nullptr);
  const auto first = claim(queue);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].bytes, kMostBytes);
  EXPECT_EQ(claim(queue).size(), 1u);
}

TEST(TcpSendQueue, ABatchEndsWithItsBytesAndWithTheRoomThereIs) {
  SendQueue queue;
  constexpr std::size_t kEach = SendQueue::kBatchBytes / 4;
  for (int i = 0; i < 10; ++i) ASSERT_NE(post(queue, kEach), nullptr);
  EXPECT_EQ(claim(queue).size(), 4u) << "the fourth reaches the batch's bytes";
  EXPECT_EQ(claim(queue, 2).size(), 2u);
  EXPECT_EQ(claim(queue).size(), 4u);
}

TEST(TcpSendQueue, AnEmptyMessageIsOneEmptyPieceAndIsWaitedFor) {
  SendQueue queue;
  SendMessage* const message = post(queue, 0);
  ASSERT_NE(message, nullptr);
  EXPECT_FALSE(message->done());
  const auto pieces = claim(queue);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(header_of(pieces[0]), (FrameHeader{FrameType::piece, 7, 0, 0, 0, 0}));
  sent(pieces[0]);
  EXPECT_TRUE(message->done());
}

TEST(TcpSendQueue, EmptyMessagesAmongSeveralFlowsTooComeOnce) {
  SendQueue queue;
  queue.expect_flows(4);
  std::vector<SendMessage*> messages;
  for (int i = 0; i < 20; ++i) messages.push_back(post(queue, 0));
  std::uint32_t next = 0;
  while (next < 20) {
    const auto pieces = claim(queue, 3);
    ASSERT_FALSE(pieces.empty());
    for (const Piece& piece : pieces) {
      EXPECT_EQ(header_of(piece).sequence, next++);
      sent(piece);
    }
  }
  EXPECT_TRUE(claim(queue).empty());
  for (const SendMessage* message : messages) EXPECT_TRUE(message->done());
}

TEST(TcpSendQueue, AMessageIsDoneWhenTheLastOfItsPiecesIsSent) {
  SendQueue queue;
  queue.expect_flows(2);
  SendMessage* const message = post(queue, 1024 * 1024);
  std::vector<Piece> all;
  for (auto pieces = claim(queue); !pieces.empty(); pieces = claim(queue))
    all.insert(all.end(), pieces.begin(), pieces.end());
  ASSERT_GT(all.size(), 2u);
  for (auto piece = all.rbegin(); piece != all.rend(); ++piece) {
    EXPECT_FALSE(message->done());
    sent(*piece);
  }
  EXPECT_TRUE(message->done());
}

TEST(TcpSendQueue, PiecesShrinkTowardsTheEndOfWhatIsQueued) {
  SendQueue queue;
  queue.expect_flows(4);
  ASSERT_NE(post(queue, 16 * 1024 * 1024), nullptr);
  std::uint64_t last = SendQueue::kMaxPieceBytes + SendQueue::kMinPieceBytes / 2;
  std::uint64_t offset = 0;
  while (queue.unclaimed() > 0) {
    const auto pieces = claim(queue);
    ASSERT_EQ(pieces.size(), 1u);
    EXPECT_LE(pieces[0].bytes, last);
    EXPECT_EQ(header_of(pieces[0]).offset, offset);
    offset += pieces[0].bytes;
    if (queue.unclaimed() > 0) {  // the very last may be a little more rather than a tiny rest
      EXPECT_EQ(pieces[0].bytes % SendQueue::kPieceUnit, 0u);
      EXPECT_GE(pieces[0].bytes, SendQueue::kMinPieceBytes);
      last = pieces[0].bytes;
    }
  }
  EXPECT_EQ(last, SendQueue::kMinPieceBytes);
}

TEST(TcpSendQueue, KeptToTheFirstFlowTheOthersTakeNothingAndItTakesMessagesWhole) {
  SendQueue queue;
  queue.expect_flows(4);
  queue.keep_to_first(true);
  ASSERT_NE(post(queue, 16 * 1024 * 1024), nullptr);
  IdleTaker other;
  EXPECT_TRUE(claim_as(queue, {.idle = &other}, 1).empty());
  const auto whole = claim_as(queue, {.idle = nullptr}, 1);
  ASSERT_EQ(whole.size(), 1u);
  EXPECT_EQ(whole[0].bytes, 16u * 1024 * 1024);
  queue.keep_to_first(false);
  ASSERT_NE(post(queue, 16 * 1024 * 1024), nullptr);
  EXPECT_EQ(claim_as(queue, {.idle = &other}, 1).size(), 1u);
}

TEST(TcpSendQueue, NoRestIsTiny) {
  SendQueue queue;
  queue.expect_flows(2);
  ASSERT_NE(post(queue, SendQueue::kMinPieceBytes + 1), nullptr);
  const auto pieces = claim(queue);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_EQ(pieces[0].bytes, SendQueue::kMinPieceBytes + 1);
}

TEST(TcpSendQueue, SmallMessagesGoTogetherAmongSeveralFlowsToo) {
  SendQueue queue;
  queue.expect_flows(4);
  for (int i = 0; i < 20; ++i) ASSERT_NE(post(queue, 100), nullptr);
  EXPECT_EQ(claim(queue).size(), 20u);
}

TEST(TcpSendQueue, TheWindowIsFullUntilTheOldestIsTestedToItsEnd) {
  SendQueue queue;
  std::vector<SendMessage*> messages;
  for (std::size_t i = 0; i < kMaxRequests; ++i) messages.push_back(post(queue, 1));
  EXPECT_EQ(post(queue, 1), nullptr);
  EXPECT_EQ(queue.unclaimed(), kMaxRequests) << "what was refused is not queued";
  for (const Piece& piece : claim(queue)) sent(piece);
  queue.window().release(*messages[0]);
  EXPECT_EQ(post(queue, 1), messages[0]);
}

TEST(TcpSendQueue, WhoFindsNothingIsIdleOnceHoweverOftenHeAsks) {
  SendQueue queue;
  queue.expect_flows(2);
  IdleTaker flow;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(claim(queue, 32, &flow).empty());
  ASSERT_NE(post(queue, 1024 * 1024), nullptr);
  std::array<IoTask*, 4> called{};
  EXPECT_EQ(queue.wanted(called), 1u);
  EXPECT_EQ(called[0], &flow);
  EXPECT_EQ(queue.wanted(called), 0u) << "he has been called";
}

TEST(TcpSendQueue, WhoFindsSomethingIsNotIdle) {
  SendQueue queue;
  queue.expect_flows(2);
  IdleTaker flow;
  ASSERT_NE(post(queue, 1024 * 1024), nullptr);
  EXPECT_FALSE(claim(queue, 32, &flow).empty());
  std::array<IoTask*, 4> called{};
  EXPECT_EQ(queue.wanted(called), 0u);
}

TEST(TcpSendQueue, OnlyAsManyAreCalledAsThereIsWorkFor) {
  SendQueue queue;
  queue.expect_flows(9);
  std::array<IdleTaker, 8> flows;
  for (IdleTaker& flow : flows) EXPECT_TRUE(claim(queue, 32, &flow).empty());
  std::array<IoTask*, kMaxFlows> called{};
  EXPECT_EQ(queue.wanted(called), 0u) << "there is nothing to do";
  ASSERT_NE(post(queue, SendQueue::kMinPieceBytes - 1), nullptr);
  EXPECT_EQ(queue.wanted(called), 1u) << "whatever there is, somebody has to do it";
  ASSERT_NE(post(queue, SendQueue::kMinPieceBytes + 1), nullptr);
  EXPECT_EQ(queue.wanted(called), 2u);
  ASSERT_NE(post(queue, 100 * SendQueue::kMinPieceBytes), nullptr);
  EXPECT_EQ(queue.wanted(std::span(called).first(3)), 3u) << "no more than fit";
  EXPECT_EQ(queue.wanted(called), 2u) << "the rest of the eight";
}

TEST(TcpSendQueue, WhoPollsTakesLittleAtATimeWhereOthersCanDoTheRest) {
  SendQueue queue;
  queue.expect_flows(2);
  ASSERT_NE(post(queue, 16 * 1024 * 1024), nullptr);
  EXPECT_EQ(claim_as(queue, {}, 32)[0].bytes, SendQueue::kMinPieceBytes);
  EXPECT_EQ(claim(queue)[0].bytes, SendQueue::kMaxPieceBytes);
}

TEST(TcpSendQueue, WhoLeavesLargeMessagesToOthersTakesTheSmallOnesBefore) {
  SendQueue queue;
  queue.expect_flows(2);
  ASSERT_NE(post(queue, 100), nullptr);
  ASSERT_NE(post(queue, SendQueue::kLargeBytes), nullptr);
  ASSERT_NE(post(queue, 200), nullptr);
  const SendQueue::Taker taker{nullptr, false};
  ASSERT_EQ(claim_as(queue, taker, 32).size(), 1u);
  EXPECT_TRUE(claim_as(queue, taker, 32).empty()) << "what is behind a large one waits for it";
  EXPECT_EQ(claim(queue, 1)[0].bytes, SendQueue::kLargeBytes);
  EXPECT_EQ(claim_as(queue, taker, 32)[0].bytes, 200u);
}

TEST(TcpSendQueue, AFlowThatIsLostLeavesItsShareToTheOthers) {
  SendQueue queue;
  queue.expect_flows(3);
  constexpr std::size_t kBytes = 600 * 1024;
  ASSERT_NE(post(queue, kBytes), nullptr);
  const std::uint64_t third = claim(queue)[0].bytes;
  queue.lose_flow();
  const std::uint64_t half = claim(queue)[0].bytes;
  EXPECT_GT(half, third);
  queue.lose_flow();
  EXPECT_EQ(claim(queue)[0].bytes, kBytes - third - half) << "alone, it takes all that is left";
  EXPECT_EQ(queue.unclaimed(), 0u);
}

// What is left of each message, byte ranges that must be taken once each.
class Coverage {
 public:
  void posted(std::uint64_t bytes) { messages_.push_back({bytes, {}, false}); }

  void taken(const FrameHeader& header) {
    ASSERT_LT(header.sequence, messages_.size());
    Message& message = messages_[header.sequence];
    EXPECT_EQ(header.total, message.bytes);
    if (header.total == 0) {
      EXPECT_FALSE(message.empty_seen);
      message.empty_seen = true;
    } else {
      EXPECT_GT(header.bytes, 0u);
      EXPECT_EQ(header.offset % SendQueue::kPieceUnit, 0u);
      message.ranges.emplace_back(header.offset, header.bytes);
    }
  }
  void expect_whole() {
    for (Message& message : messages_) {
      std::sort(message.ranges.begin(), message.ranges.end());
      std::uint64_t end = 0;
      for (const auto& [offset, bytes] : message.ranges) {
        ASSERT_EQ(offset, end) << "a gap, or twice";
        end += bytes;
      }
      ASSERT_EQ(end, message.bytes);
      ASSERT_EQ(message.empty_seen, message.bytes == 0);
    }
  }

 private:
  struct Message {
    std::uint64_t bytes;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    bool empty_seen;
  };
  std::vector<Message> messages_;
};

std::size_t random_bytes(std::mt19937_64& random) {
  switch (random() % 4) {
    case 0:
      return random() % 3;
    case 1:
      return random() % 1000;
    case 2:
      return random() % (100 * 1024);
    default:
      return random() % (8 * 1024 * 1024);
  }
}

// Whatever is posted when, and whichever flow asks next, with room for however many pieces.
TEST(TcpSendQueue, EveryByteIsTakenOnceAndInOrderByEachFlow) {
  std::mt19937_64 random(seed_of_this_run());
  for (int round = 0; round < 200; ++round) {
    SendQueue queue;
    Coverage coverage;
    unsigned flows = static_cast<unsigned>(1 + random() % 9);
    if (flows > 1) queue.expect_flows(flows);
    std::vector<std::pair<std::uint32_t, std::uint64_t>> last(flows);
    std::deque<SendMessage*> in_flight;
    std::vector<Piece> unsent;
    int to_post = 60;
    while (to_post > 0 || queue.unclaimed() > 0 || !in_flight.empty()) {
      const std::size_t bytes = random_bytes(random);
      if (to_post > 0 && random() % 2 == 0) {
        if (SendMessage* const message = post(queue, bytes); message != nullptr) {
          coverage.posted(bytes);
          in_flight.push_back(message);
          --to_post;
        }
      }
      const std::size_t flow = random() % flows;
      for (const Piece& piece : claim(queue, 1 + random() % 32)) {
        const FrameHeader header = header_of(piece);
        EXPECT_LE(piece.bytes, flows == 1 ? kMaxMessageBytes
                                          : SendQueue::kMaxPieceBytes + SendQueue::kMinPieceBytes);
        EXPECT_EQ(piece.data, memory() + header.offset);
        coverage.taken(header);
        const std::pair<std::uint32_t, std::uint64_t> place(header.sequence, header.offset);
        EXPECT_GE(place, last[flow]);
        last[flow] = place;
        unsent.push_back(piece);
      }
      std::shuffle(unsent.begin(), unsent.end(), random);
      for (; !unsent.empty() && random() % 8 != 0; unsent.pop_back()) sent(unsent.back());
      for (; !in_flight.empty() && in_flight.front()->done(); in_flight.pop_front())
        queue.window().release(*in_flight.front());
      if (flows > 1 && random() % 64 == 0) {
        queue.lose_flow();
        --flows;
      }
      if (testing::Test::HasFailure()) return;
    }
    coverage.expect_whole();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace hawser::tcp
