// What more is asked for than the peer has room for: both sides of a link's operations, and a wire
// between them that this test moves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "engine/operations/operations.h"
#include "engine/operations/room.h"

namespace hawser::engine {
namespace {

using ::testing::HasSubstr;

constexpr wire::Room kRoomForFour{4, 4, 4};

TEST(EngineRoomHere, IsToldWhenThePeerMayComeToWait) {
  RoomHere room({100, 1, 100});
  for (int i = 0; i < 49; ++i) {
    ASSERT_TRUE(room.take(Kept::message));
    room.give_back(Kept::message);
    ASSERT_FALSE(room.worth_telling(Kept::message)) << i;
  }
  ASSERT_TRUE(room.take(Kept::message));
  room.give_back(Kept::message);
  EXPECT_TRUE(room.worth_telling(Kept::message)) << "half of it is used up";
  EXPECT_EQ(room.to_tell().messages, 150u);
  room.told();
  EXPECT_FALSE(room.worth_telling(Kept::message));
  // Where it is full each place counts.
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(room.take(Kept::message));
  EXPECT_FALSE(room.take(Kept::message));
  EXPECT_FALSE(room.worth_telling(Kept::message)) << "there is nothing to tell";
  room.give_back(Kept::message);
  EXPECT_TRUE(room.worth_telling(Kept::message));
  EXPECT_FALSE(room.take(Kept::message)) << "the peer cannot know";
  EXPECT_TRUE(room.take(Kept::read)) << "each kind has its own";
  // What was not worth telling is when less is left.
  ASSERT_TRUE(room.take(Kept::notification));
  room.give_back(Kept::notification);
  for (int i = 0; i < 98; ++i) ASSERT_TRUE(room.take(Kept::notification));
  EXPECT_TRUE(room.worth_telling(Kept::notification));
}

TEST(EngineRoomThere, OldWordChangesNothing) {
  RoomThere room({1, 0, 0});
  EXPECT_TRUE(room.take(Kept::message));
  EXPECT_FALSE(room.take(Kept::message));
  room.grant({3, 0, UINT64_MAX});
  room.grant({2, 0, 0});
  EXPECT_EQ(room.left(Kept::message), 2u);
  EXPECT_EQ(room.left(Kept::notification), UINT64_MAX);
  room.give_back(Kept::message);
  EXPECT_EQ(room.left(Kept::message), 3u);
}

// One side's operations.
struct RoomSide {
  explicit RoomSide(const wire::Room& there = kRoomForFour)
      : operations(table, bell, [](std::uint64_t) {},
                   {.ending = Milliseconds(500), .room_here = kRoomForFour, .room_there = there}) {
    region->note_token();
    table.add(region);
  }
  Request request(std::size_t bytes = 8, bool only_if_room = false) const {
    Request request;
    request.region = RegionUse::begin(region, LocalRegion::User::owner);
    const Block block{0, 0, bytes};
    request.blocks = *BlockList::create(std::span(&block, 1), memory.size(), memory.size());
    request.only_if_room = only_if_room;
    return request;
  }
  Request pieces(std::size_t count) const {
    Request request = this->request();
    std::vector<Block> blocks;
    for (std::size_t i = 0; i < count; ++i) blocks.push_back({2 * i, 2 * i, 1});
    request.blocks = *BlockList::create(blocks, memory.size(), memory.size());
    return request;
  }

  std::vector<std::byte> memory = std::vector<std::byte>(16'384);
  std::shared_ptr<LocalRegion> region = std::make_shared<LocalRegion>(
      wire::Key{}, MemoryRange{memory.data(), memory.size()}, Rights::read_write, nullptr);
  RegionTable table;
  EventBell bell;
  Operations operations;
};

class EngineRoom : public testing::Test {
 protected:
  using States = std::vector<Operations::State>;

  static std::size_t done(const States& states) {
    return static_cast<std::size_t>(
        std::ranges::count_if(states, [](const auto& state) { return state->done(); }));
  }
  static Code code_of(const Operations::State& state) {
    return state->done() && !state->outcome().ok() ? state->outcome().error().code()
                                                   : Code::internal;
  }

  // What one side has to say, in a frame that gets there, or not.
  Status carry(RoomSide& from, RoomSide& to, bool lost = false) {
    std::vector<std::byte> buffer(wire::kFrameBytes);
    for (;;) {
      wire::FrameBuilder frame(buffer);
      std::vector<MessagePtr> sent;
      from.operations.take_messages(frame, sent);
      if (sent.empty()) return {};
      messages_ += sent.size();
      if (lost) {
        from.operations.send_again(sent, {});
        return {};
      }
      if (Status taken = take(frame.finish(), to); !taken.ok()) return taken;
      from.operations.acknowledged({}, sent);
    }
  }
  static Status take(std::span<const std::byte> frame, RoomSide& to) {
    auto reader = wire::FrameReader::open(frame);
    if (!reader.ok()) return reader.error();
    std::uint64_t order = 0;
    for (;;) {
      const auto record = reader->next();
      if (!record.ok()) return record.error();
      if (!record->has_value()) return {};
      if (const auto* const it = std::get_if<wire::Order>(&**record)) {
        order = it->number;
      } else if (const auto* const room = std::get_if<wire::Room>(&**record)) {
        to.operations.take_room(*room);
      } else if (Status taken = to.operations.take_message(std::exchange(order, 0), **record);
                 !taken.ok()) {
        return taken;
      }
    }
  }
  // Data: each chunk lands at once.
  static Status carry_chunks(RoomSide& from, RoomSide& to) {
    std::vector<OutChunk> chunks;
    from.operations.take_chunks({1000, 1 << 20, 8, 8, 1 << 20, 1}, chunks);
    for (const OutChunk& chunk : chunks)
      if (Status landed = land(chunk, to); !landed.ok()) return landed;
    from.operations.acknowledged(chunks, {});
    return {};
  }
  static Status land(const OutChunk& chunk, RoomSide& to) {
    const auto bytes = static_cast<std::uint32_t>(chunk.ref.bytes);
    Target target;
    target.bytes = bytes;
    if (chunk.op->kind == Outgoing::Kind::reply) {
      HAWSER_TRY(to.operations.find_target(
          wire::ReplyChunk{chunk.op->peer_op, chunk.ref.offset, bytes, {}}, target));
    } else {
      HAWSER_TRY(to.operations.find_target(
          wire::WriteChunk{chunk.op->own_op, chunk.op->tracked, chunk.op->key, bytes, {}, {}, {}},
          target));
    }
    to.operations.landed(target);
    return {};
  }
  void settle() {
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(carry(near_, far_).ok());
      EXPECT_TRUE(carry_chunks(near_, far_).ok());
      EXPECT_TRUE(carry(far_, near_).ok());
      EXPECT_TRUE(carry_chunks(far_, near_).ok());
    }
  }
  States send(int count) {
    States sends;
    for (int i = 0; i < count; ++i) sends.push_back(near_.operations.send({}, 7, near_.request(8)));
    return sends;
  }
  States notify(int count) {
    States all;
    for (int i = 0; i < count; ++i)
      all.push_back(near_.operations.notify({}, std::to_string(i), 0, false));
    return all;
  }

  RoomSide near_, far_;
  std::size_t messages_ = 0;  // that went over the wire
};

TEST_F(EngineRoom, MessagesWaitUntilReceivesTakeOthers) {
  const States sends = send(20);
  settle();
  EXPECT_EQ(near_.operations.waiting_for_room(), 16u);
  for (std::size_t i = 0; i < 20; ++i) {
    const auto receive = far_.operations.receive({}, 7, far_.request(8));
    ASSERT_TRUE(receive->done()) << i;
    settle();
    ASSERT_EQ(done(sends), i + 1) << "each in its turn";
    ASSERT_TRUE(sends[i]->done() && sends[i]->outcome().ok());
  }
  EXPECT_EQ(near_.operations.waiting_for_room(), 0u);
  EXPECT_TRUE(near_.operations.idle() && far_.operations.idle());
}

// It has a number only when it goes, so that nothing behind it waits.
TEST_F(EngineRoom, WhatWaitsHoldsUpNothingElse) {
  const States sends = send(10);
  const auto told = near_.operations.notify({}, "beside", 0, false);
  const auto read = near_.operations.read({}, near_.request(), far_.region->key());
  const auto write = near_.operations.write({}, near_.request(1000), far_.region->key(), "written");
  settle();
  EXPECT_TRUE(told->done() && read->done() && write->done());
  EXPECT_EQ(done(sends), 0u);
}

TEST_F(EngineRoom, NotificationsWaitUntilOthersAreTaken) {
  const States told = notify(10);
  settle();
  EXPECT_EQ(done(told), 4u);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(far_.operations.take_notification(), std::to_string(i));
    settle();
  }
  EXPECT_EQ(done(told), 10u);
  EXPECT_FALSE(far_.operations.take_notification());
}

// With their data: the peer counts that, too.
TEST_F(EngineRoom, WritesWaitForTheirNotificationsToHaveRoom) {
  States writes;
  for (int i = 0; i < 10; ++i)
    writes.push_back(
        near_.operations.write({}, near_.request(100), far_.region->key(), std::to_string(i)));
  const auto last = near_.operations.notify({}, "last", 0, false);
  const auto innocent = near_.operations.write({}, near_.request(100), far_.region->key(), "");
  settle();
  EXPECT_EQ(done(writes), 4u);
  EXPECT_TRUE(innocent->done());
  EXPECT_FALSE(last->done()) << "it comes behind all of these writes";
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(far_.operations.take_notification(), std::to_string(i));
    settle();
  }
  EXPECT_EQ(far_.operations.take_notification(), "last");
  EXPECT_TRUE(last->done());
}

TEST_F(EngineRoom, ReadsWaitUntilOthersHaveTheirData) {
  States reads;
  for (int i = 0; i < 10; ++i)
    reads.push_back(near_.operations.read({}, near_.request(), far_.region->key()));
  ASSERT_TRUE(carry(near_, far_).ok());
  ASSERT_TRUE(carry(far_, near_).ok());
  EXPECT_EQ(near_.operations.waiting_for_room(), 6u);
  settle();
  EXPECT_EQ(done(reads), 10u);
  EXPECT_TRUE(near_.operations.idle() && far_.operations.idle());
}

// A read of more parts than there is room for at a time.
TEST_F(EngineRoom, ALargeReadGoesInParts) {
  const auto read = near_.operations.read({}, near_.pieces(512 * 10), far_.region->key());
  ASSERT_TRUE(carry(near_, far_).ok());
  EXPECT_EQ(near_.operations.waiting_for_room(), 6u);
  settle();
  ASSERT_TRUE(read->done());
  EXPECT_TRUE(read->outcome().ok());
  EXPECT_EQ(read->bytes_done(), 5120u);
}

// Before the peer has said that it keeps nothing of the region, all parts have been asked for.
TEST_F(EngineRoom, ARegionIsDrainedBehindTheLastPart) {
  const auto read = near_.operations.read({}, near_.pieces(512 * 6), far_.region->key());
  bool drained = false;
  far_.operations.drain(far_.region->key(), [&] { drained = true; });
  ASSERT_TRUE(carry(near_, far_).ok());
  ASSERT_TRUE(carry(far_, near_).ok());
  EXPECT_FALSE(drained);
  settle();
  EXPECT_TRUE(drained && read->done());
}

TEST_F(EngineRoom, OnlyIfThereIsRoomFailsAtOnce) {
  Operations& near = near_.operations;
  send(4);
  notify(4);
  for (int i = 0; i < 4; ++i) near.read({}, near_.request(), far_.region->key());
  const wire::Key key = far_.region->key();
  const States refused = {
      near.send({}, 7, near_.request(8, true)), near.read({}, near_.request(8, true), key),
      near.write({}, near_.request(8, true), key, "told"), near.notify({}, "told", 0, true)};
  for (const auto& state : refused) {
    EXPECT_EQ(code_of(state), Code::timeout);
    EXPECT_THAT(state->outcome().error().message(), HasSubstr("room for 0 more"));
  }
  EXPECT_EQ(near.waiting_for_room(), 0u);
  const auto untold = near.write({}, near_.request(8, true), key, "");
  settle();
  EXPECT_TRUE(untold->done() && untold->outcome().ok()) << "it needs none";
  Request many = near_.pieces(512 * 5);
  many.only_if_room = true;
  EXPECT_EQ(code_of(near.read({}, std::move(many), key)), Code::timeout) << "five, of four";
  const auto read = near.read({}, near_.request(8, true), key);
  settle();
  EXPECT_TRUE(read->done() && read->outcome().ok());
}

TEST_F(EngineRoom, WhatWaitsEndsWhenItIsStopped) {
  Operations& near = near_.operations;
  const States sends = send(6), told = notify(6);                              // 1 to 12
  const auto read = near.read({}, near_.pieces(512 * 6), far_.region->key());  // 13, parts to 19
  ASSERT_TRUE(carry(near_, far_).ok());
  EXPECT_EQ(near.waiting_for_room(), 6u);
  const Error enough(Code::cancelled, "enough");
  for (const std::uint64_t op : {6u, 12u}) near.stop(op, enough);
  EXPECT_EQ(code_of(sends[5]), Code::cancelled);
  EXPECT_EQ(code_of(told[5]), Code::cancelled);
  const auto write = near.write({}, near_.request(), far_.region->key(), "told");  // 20
  near.stop(20, enough);
  EXPECT_EQ(code_of(write), Code::cancelled);
  near.stop(13, enough);
  EXPECT_FALSE(read->done()) << "some of it was asked for";
  settle();
  EXPECT_EQ(code_of(read), Code::cancelled);
  EXPECT_EQ(near.waiting_for_room(), 2u);
  near.end(Error(Code::peer, "gone"));
  EXPECT_EQ(code_of(sends[4]), Code::peer);
  EXPECT_EQ(code_of(told[4]), Code::peer);
}

// A notification that has its room, and waits for a write: another one gets it.
TEST_F(EngineRoom, RoomOfWhatIsStoppedGoesToTheNext) {
  Operations& near = near_.operations;
  near.write({}, near_.request(100), far_.region->key(), "");  // 1
  const States told = notify(5);                               // 2 to 6
  EXPECT_EQ(near.waiting_for_room(), 1u);
  near.stop(3, Error(Code::cancelled, "enough"));
  EXPECT_EQ(near.waiting_for_room(), 0u);
  settle();
  EXPECT_EQ(done(told), 5u);
  for (const char* const text : {"0", "2", "3", "4"})
    EXPECT_EQ(far_.operations.take_notification(), text);
}

TEST_F(EngineRoom, EndsAtItsTimeLimit) {
  notify(4);
  const auto late = near_.operations.notify({}, "late", 10, false);
  EXPECT_EQ(near_.operations.look_at_deadlines(Clock::system().now() + Milliseconds(1000)),
            nullptr);
  EXPECT_EQ(code_of(late), Code::timeout);
}

// Word of room is lost with its channel, and comes over another one.
TEST_F(EngineRoom, WordOfItSurvivesALostChannel) {
  const States told = notify(8);
  settle();
  while (far_.operations.take_notification()) {
  }
  ASSERT_TRUE(carry(far_, near_, true).ok());
  EXPECT_EQ(done(told), 4u);
  ASSERT_TRUE(carry(near_, far_, true).ok());
  settle();
  EXPECT_EQ(done(told), 8u);
}

// One message for as many as there is half room for, and not two on their way at a time.
TEST_F(EngineRoom, WordOfItCostsLittle) {
  const wire::Room many{100, 100, 100};
  RegionTable table;
  EventBell bell;
  Operations far(table, bell, [](std::uint64_t) {},
                 {.ending = Milliseconds(500), .room_here = many, .room_there = many});
  std::vector<std::byte> buffer(wire::kFrameBytes);
  std::size_t words = 0;
  std::uint64_t number = 0;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(far.take_message(++number, wire::Notify{}).ok()) << i;
    ASSERT_TRUE(far.take_notification());
    wire::FrameBuilder frame(buffer);
    std::vector<MessagePtr> sent;
    far.take_messages(frame, sent);
    words += sent.size();
    far.acknowledged({}, sent);
  }
  EXPECT_EQ(words, 20u);
}

// What a withdrawn write leaves on its way: its word comes behind.
TEST_F(EngineRoom, AWriteThatEndedByForceIsWithdrawnBehindItsChunks) {
  const auto write = near_.operations.write({}, near_.request(100), far_.region->key(), "told");
  std::vector<OutChunk> chunks;
  near_.operations.take_chunks({10, 1000, 1, 1, 1000, 1}, chunks);
  ASSERT_EQ(chunks.size(), 1u);
  ASSERT_TRUE(carry(near_, far_).ok());
  near_.operations.stop(1, Error(Code::cancelled, "enough"));
  const auto forced = near_.operations.look_at_deadlines(Clock::system().now() + Milliseconds(900));
  ASSERT_NE(forced, nullptr);
  near_.operations.let_go(*forced);
  ASSERT_TRUE(write->done());
  EXPECT_FALSE(near_.operations.has_messages()) << "a chunk of it may still come";
  near_.operations.send_again({}, chunks);
  EXPECT_TRUE(near_.operations.has_messages());
  settle();
  notify(4);
  settle();
  EXPECT_EQ(near_.operations.waiting_for_room(), 0u) << "its place is free again";
}

// ---- a peer that takes more than it was given ----

class EngineRoomHostile : public EngineRoom {
 protected:
  // How many of them are taken before one ends the link.
  template <class Make>
  std::size_t taken_of(Make&& make) {
    for (std::uint64_t i = 1; i < 100; ++i) {
      const Status taken = far_.operations.take_message(i, make(i));
      if (taken.ok()) continue;
      EXPECT_EQ(taken.error().code(), Code::protocol);
      EXPECT_THAT(taken.error().message(), HasSubstr("more"));
      return i - 1;
    }
    return 100;
  }
};

TEST_F(EngineRoomHostile, MessagesEndTheLink) {
  EXPECT_EQ(taken_of([](std::uint64_t i) { return wire::Send{i, 7, 0, true, {}}; }), 4u);
}

TEST_F(EngineRoomHostile, NotificationsEndTheLink) {
  EXPECT_EQ(taken_of([](std::uint64_t i) -> wire::Record {
              if (i % 2 == 0) return wire::Notify{};
              return wire::Begin{i, 10, {}};
            }),
            4u);
}

// Wrong ones, too: their faults wait until the peer hears of them.
TEST_F(EngineRoomHostile, ReadsEndTheLink) {
  static const std::vector<std::byte> kPiece(wire::Pieces::kEncodedBytes, std::byte{1});
  EXPECT_EQ(taken_of([](std::uint64_t i) {
              wire::ReadRequest read{i, wire::Key{}, {}, wire::Pieces(kPiece)};
              if (i % 2 == 0) read.key[0] = std::byte{1};
              return read;
            }),
            4u);
}

TEST_F(EngineRoomHostile, MessagesThatAreTakenBackKeepTheirPlaceUntilThatIsHeard) {
  EXPECT_EQ(taken_of([](std::uint64_t i) -> wire::Record {
              if (i % 2 == 0) return wire::Withdraw{i - 1};
              return wire::Send{i, 7, 0, true, {}};
            }),
            8u);
}

TEST_F(EngineRoomHostile, PartsOfWritesThatNeverBegin) {
  std::vector<std::byte> buffer(wire::kFrameBytes);
  const std::vector<wire::Piece> piece = {{0, 8}};
  for (std::uint64_t op = 1; op < 10; ++op) {
    wire::FrameBuilder frame(buffer);
    frame.add(wire::WriteChunk{op, true, far_.region->key(), 8, piece, {}, {}});
    auto reader = wire::FrameReader::open(frame.finish());
    const auto record = reader->next();
    Target target;
    const Status found = far_.operations.find_target(std::get<wire::WriteChunk>(**record), target);
    EXPECT_EQ(found.ok(), op <= 4) << op;
    if (found.ok()) far_.operations.landed(target);
  }
}

// An answer to what has not been asked for.
TEST_F(EngineRoomHostile, PartsThatStillWaitMayBeFaulted) {
  const auto read = near_.operations.read({}, near_.pieces(512 * 6), far_.region->key());
  for (std::uint64_t part = 7; part > 1; --part)
    ASSERT_TRUE(near_.operations.take_message(8 - part, wire::Fault{part, Code::data, "no"}).ok());
  EXPECT_EQ(code_of(read), Code::data);
  EXPECT_EQ(near_.operations.waiting_for_room(), 0u);
}

}  // namespace
}  // namespace hawser::engine
