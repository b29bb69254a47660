#include <gtest/gtest.h>

#include <thread>

#include "validation/peer_board.h"

namespace hawser {
namespace {

Deadline soon() {
  return Deadline::after(Milliseconds(20));
}
Deadline later() {
  return Deadline::after(Milliseconds(20'000));
}

wire::ChannelStatus status(std::uint32_t channel, wire::Stage stage, bool ok) {
  wire::ChannelStatus said;
  said.channel = channel;
  said.stage = stage;
  said.ok = ok;
  said.reason = ok ? "" : "tcpx_reg_mr failed";
  return said;
}

TEST(PeerBoard, WakesWhoWaitsForAHandle) {
  PeerBoard board(4);
  wire::HandleOffer offer;
  offer.channel = 2;
  offer.handle[5] = std::byte{42};
  std::thread peer([&] { board.on_message(offer); });
  const auto handle = board.wait_handle(0, 2, later());
  peer.join();
  ASSERT_TRUE(handle.ok());
  EXPECT_EQ((*handle)[5], std::byte{42});
}

TEST(PeerBoard, AWaitHasADeadlineAndSaysWhatDidNotCome) {
  PeerBoard board(4);
  EXPECT_EQ(board.wait_handle(0, 2, soon()).error().message(),
            "the other side did not send the handle of channel 2 within 20 ms");
  EXPECT_EQ(board.wait_barrier(3, soon()).error().message(),
            "the other side did not send barrier 3 within 20 ms");
}

TEST(PeerBoard, AChannelThatFailedThereIsBrokenHere) {
  PeerBoard board(4);
  board.on_message(status(1, wire::Stage::created, false));
  EXPECT_FALSE(board.wait_handle(0, 1, later()).ok());
  EXPECT_FALSE(board.broken(0, 0).has_value());
  EXPECT_EQ(board.broken(0, 1)->message(), "the other side's channel failed: tcpx_reg_mr failed");
}

TEST(PeerBoard, ALostPeerEndsEveryWait) {
  PeerBoard board(4);
  std::thread peer([&] { board.on_lost(Error(Code::peer, "it closed")); });
  EXPECT_EQ(board.wait_status(0, wire::Stage::created, 0, later()).error().message(), "it closed");
  peer.join();
  EXPECT_EQ(board.broken(0, 0)->message(), "it closed");
}

TEST(PeerBoard, WhatWasSaidBeforeTheLossCounts) {
  PeerBoard board(4);
  board.on_message(wire::Barrier{2});
  board.on_lost(Error(Code::peer, "it closed"));
  EXPECT_TRUE(board.wait_barrier(2, later()).ok());
  EXPECT_FALSE(board.wait_barrier(3, later()).ok());
}

TEST(PeerBoard, ForgetsSuccessesAndKeepsFailures) {
  PeerBoard board(4);
  board.on_message(status(0, wire::Stage::transferred, true));
  board.on_message(status(1, wire::Stage::transferred, false));
  board.on_message(status(1, wire::Stage::transferred, true));
  board.forget(0, wire::Stage::transferred);
  EXPECT_FALSE(board.wait_status(0, wire::Stage::transferred, 0, soon()).ok());
  EXPECT_FALSE(board.wait_status(0, wire::Stage::transferred, 1, soon())->ok);
}

TEST(PeerBoard, KeepsWhatFailedThereAndHow) {
  PeerBoard board(4);
  wire::ChannelStatus said = status(1, wire::Stage::created, false);
  said.operation = wire::Operation::reg_mr;
  said.kind = Code::plugin;
  board.on_message(said);
  EXPECT_EQ(board.failure(0, 1)->operation, wire::Operation::reg_mr);
  EXPECT_EQ(board.failure(0, 1)->kind, Code::plugin);
  EXPECT_FALSE(board.failure(0, 0).has_value());
  EXPECT_FALSE(board.failure(1, 1).has_value());
}

TEST(PeerBoard, KeepsHowEachPassEnded) {
  PeerBoard board(4);
  board.on_message(wire::PassDone{1, true, false});
  EXPECT_FALSE(board.pass_done(0).has_value());
  EXPECT_TRUE(board.pass_done(1)->created);
  EXPECT_FALSE(board.pass_done(1)->can_go_on);
  board.on_message(wire::PassDone{PeerBoard::kMaxPasses, true, true});
  EXPECT_EQ(board.lost()->code(), Code::protocol);
}

TEST(PeerBoard, WordOfAChannelThatIsNotInThePlanEndsThePeer) {
  for (const wire::Message& strange :
       {wire::Message(status(4, wire::Stage::created, true)), wire::Message(wire::Hello())}) {
    PeerBoard board(4);
    board.on_message(strange);
    ASSERT_TRUE(board.lost().has_value());
    EXPECT_EQ(board.lost()->code(), Code::protocol);
  }
}

}  // namespace
}  // namespace hawser
