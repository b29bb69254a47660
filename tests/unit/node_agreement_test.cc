// Who may meet whom, and what the threads of a node share.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "node/agreement.h"
#include "node/board.h"

namespace hawser::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Hello hello_of_gpu(std::uint32_t gpu, std::uint32_t gpus) {
  Hello hello;
  hello.process = 1;
  hello.gpu = gpu;
  hello.terms = {gpus, 1024, 10, 0, false, true};
  return hello;
}

TEST(NodeAgreement, AServerTakesItsOwnGpuOfAsManyGpus) {
  EXPECT_TRUE(judge(hello_of_gpu(3, 8), hello_of_gpu(3, 8)).ok());
  const Status gpus = judge(hello_of_gpu(3, 4), hello_of_gpu(3, 8));
  ASSERT_FALSE(gpus.ok());
  EXPECT_THAT(gpus.error().message(), HasSubstr("server has 8 GPUs, the client 4"));
  EXPECT_THAT(gpus.error().message(), HasSubstr("--gpus"));
  const Status gpu = judge(hello_of_gpu(2, 8), hello_of_gpu(3, 8));
  ASSERT_FALSE(gpu.ok());
  EXPECT_THAT(gpu.error().message(), HasSubstr("--port-base"));
}

TEST(NodeAgreement, AClientTakesAPlanForWhatItAsked) {
  const Plan plan{hello_of_gpu(3, 8), 1};
  EXPECT_TRUE(judge(plan, hello_of_gpu(3, 8)).ok());
  EXPECT_FALSE(judge(plan, hello_of_gpu(2, 8)).ok());
  EXPECT_FALSE(judge(plan, hello_of_gpu(3, 4)).ok());
}

TEST(NodeAgreement, WhatTheServerRulesOtherwiseIsTold) {
  const Terms own{8, 1024, 10, 0, false, true};
  EXPECT_EQ(differences(own, own), "");
  const Terms ruling{8, 2048, 0, 1500, true, false};
  EXPECT_EQ(differences(ruling, own),
            "2048 bytes, not 1024 bytes; 1500 ms, not 10 iterations; both ways, not forward; "
            "unverified, not verified");
}

TEST(NodeBoard, TakesOnePeerProcessForAllGpus) {
  Board board(2);
  EXPECT_TRUE(board.claim_peer(7).ok());
  EXPECT_TRUE(board.claim_peer(7).ok());
  const Status other = board.claim_peer(8);
  ASSERT_FALSE(other.ok());
  EXPECT_THAT(other.error().message(), HasSubstr("another node"));
}

TEST(NodeBoard, AllGpusSettleTheSame) {
  Board board(3);
  EXPECT_FALSE(board.settled().has_value());
  const Settled first{{hello_of_gpu(0, 8), 5}, hello_of_gpu(0, 8)};
  Settled second{{hello_of_gpu(1, 8), 5}, hello_of_gpu(1, 8)};
  EXPECT_TRUE(*board.settle(first));
  EXPECT_FALSE(*board.settle(second));
  second.plan.seed = 6;
  EXPECT_FALSE(board.settle(second).ok());
  second.plan.seed = 5;
  second.plan.server.terms.bytes = 1;
  EXPECT_FALSE(board.settle(second).ok());
}

TEST(NodeBoard, GpusStartTogether) {
  Board board(2);
  std::thread late([&] { const Arrival arrival(board); });
  {
    Arrival arrival(board);
    arrival.now();
    board.wait_for_all();
  }  // and does not arrive twice
  late.join();
  EXPECT_LE(board.start(), Clock::system().now());
  const TimePoint start = board.start();
  EXPECT_EQ(board.start(), start);
}

TEST(NodeBoard, NobodyWaitsForOthersOnceItIsOver) {
  Board stopped(2);
  stopped.stop();
  stopped.wait_for_all();
  EXPECT_TRUE(stopped.stopping());
  Board off(2);
  off.call_off(Error(Code::peer, "first"));
  off.call_off(Error(Code::peer, "second"));
  off.wait_for_all();
  EXPECT_EQ(off.called_off()->message(), "first");
  EXPECT_FALSE(off.stopping());
}

TEST(NodeBoard, NotesArePassedOnOnce) {
  Board board(1);
  board.note("a");
  board.note("b");
  EXPECT_THAT(board.take_notes(), ElementsAre("a", "b"));
  EXPECT_THAT(board.take_notes(), IsEmpty());
}

}  // namespace
}  // namespace hawser::node
