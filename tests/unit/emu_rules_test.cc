// The emulated TCPX's rules about registrations, requests, test and irecvConsumed: each fires.
#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <thread>

#include "emu_support.h"

namespace hawser::emu_test {
namespace {

struct EmuRules : ::testing::Test {
  Plugin plugin;
  Pair pair{plugin};

  void SetUp() override { ASSERT_TRUE(pair.connect()); }

  void expect_violation(int result, const char* part) {
    EXPECT_EQ(result, emu::kInternalError);
    EXPECT_NE(std::string(plugin.stats().last_violation).find(part), std::string::npos)
        << plugin.stats().last_violation;
    EXPECT_EQ(plugin.stats().violations, ++violations);
    EXPECT_NE(Plugin::log().find("emulated TCPX: rule broken: "), std::string::npos);
  }
  int register_at(void* data, int bytes, int type = emu::kPointerHost) {
    void* registration = nullptr;
    return plugin->reg_mr(pair.send_comm, data, bytes, type, &registration);
  }
  void* posted_send(int bytes) {
    void* request = nullptr;
    EXPECT_EQ(pair.send(pair.source.data(), bytes, &request), 0);
    return request;
  }
  void* posted_receive(int bytes) {
    void* request = nullptr;
    EXPECT_EQ(pair.receive(pair.destination.data(), bytes, &request), 0);
    return request;
  }
  void* finished_receive(int bytes) {
    void* receiving = posted_receive(bytes);
    EXPECT_EQ(pair.finish(posted_send(bytes), receiving), 0);
    return receiving;
  }

  std::uint64_t violations = 0;
};

TEST_F(EmuRules, RegistrationsAreOfSomeSizeAndKind) {
  EXPECT_EQ(register_at(pair.source.data() + 511, 4095), 0) << "host memory is as it likes";
  expect_violation(register_at(pair.source.data(), 0), "regMr of 0 bytes");
  expect_violation(register_at(pair.source.data(), -1), "regMr of -1 bytes");
  expect_violation(register_at(nullptr, 4096), "regMr of 4096 bytes");
  expect_violation(register_at(pair.source.data(), 4096, 4), "pointer type 4");
}

TEST_F(EmuRules, RegistrationsNeedALiveComm) {
  void* registration = nullptr;
  expect_violation(
      plugin->reg_mr(nullptr, pair.source.data(), 4096, emu::kPointerHost, &registration),
      "no live comm");
  expect_violation(
      plugin->reg_mr(pair.listen_comm, pair.source.data(), 4096, emu::kPointerHost, &registration),
      "no live comm");
}

TEST_F(EmuRules, DeregisteringTwiceIsNoticedAndNothingIsFine) {
  EXPECT_EQ(plugin->dereg_mr(pair.send_comm, nullptr), 0);
  void* const stale = std::exchange(pair.send_registration, nullptr);
  EXPECT_EQ(plugin->dereg_mr(pair.send_comm, stale), 0);
  expect_violation(plugin->dereg_mr(pair.send_comm, stale), "no live registration");
}

TEST_F(EmuRules, DeregisteringUnderARequestIsCounted) {
  posted_receive(100);
  void* const registration = std::exchange(pair.receive_registration, nullptr);
  EXPECT_EQ(plugin->dereg_mr(pair.receive_comm, registration), 0);
  EXPECT_EQ(plugin.stats().deregistered_in_flight, 1U);
  EXPECT_EQ(plugin.stats().violations, 0U);
}

TEST_F(EmuRules, PostsNeedALiveRegistration) {
  void* request = nullptr;
  unsigned char* const data = pair.source.data();
  expect_violation(plugin->isend(pair.send_comm, data, 10, 0, nullptr, &request), "no live");
  void* const stale = std::exchange(pair.send_registration, nullptr);
  ASSERT_EQ(plugin->dereg_mr(pair.send_comm, stale), 0);
  expect_violation(plugin->isend(pair.send_comm, data, 10, 0, stale, &request), "no live");
  pair.receive_registration = stale;
  expect_violation(pair.receive(pair.destination.data(), 10, &request), "no live");
  pair.receive_registration = nullptr;
}

TEST_F(EmuRules, PostsStayInsideTheirRegistration) {
  void* request = nullptr;
  unsigned char* const end = pair.source.data() + pair.source.bytes();
  expect_violation(pair.send(end - 10, 11, &request), "outside its registration");
  expect_violation(pair.send(pair.source.data() - 1, 10, &request), "outside its registration");
  expect_violation(pair.receive(pair.source.data(), 10, &request), "outside its registration");
  EXPECT_EQ(pair.send(end - 10, 10, &request), 0);
}

TEST_F(EmuRules, PostsAreNoLargerThanTheChunk) {
  void* request = nullptr;
  expect_violation(pair.send(pair.source.data(), 524289, &request), "NCCL_DYNAMIC_CHUNK_SIZE");
  expect_violation(pair.receive(pair.destination.data(), 524289, &request), "524288");
  expect_violation(pair.send(pair.source.data(), -1, &request), "isend of -1 bytes");
  EXPECT_EQ(pair.send(pair.source.data(), 524288, &request), 0);
}

TEST_F(EmuRules, OneBufferPerReceive) {
  std::array<void*, 2> data{pair.destination.data(), pair.destination.data() + 100};
  std::array<int, 2> bytes{100, 100};
  std::array<int, 2> tags{};
  std::array<void*, 2> registrations{pair.receive_registration, pair.receive_registration};
  void* request = nullptr;
  expect_violation(plugin->irecv(pair.receive_comm, 2, data.data(), bytes.data(), tags.data(),
                                 registrations.data(), &request),
                   "irecv of 2 buffers");
}

TEST_F(EmuRules, The17thSendIsAnError) {
  for (int i = 0; i < 16; ++i) posted_send(10);
  void* request = nullptr;
  expect_violation(pair.send(pair.source.data(), 10, &request), "17th");
  EXPECT_EQ(request, nullptr);
  EXPECT_EQ(plugin.stats().max_requests_in_flight, 16U);
}

TEST_F(EmuRules, The17thReceiveIsAnErrorAndUnconsumedOnesCount) {
  void* const first = finished_receive(10);
  for (int i = 0; i < 15; ++i) posted_receive(10);
  void* request = nullptr;
  expect_violation(pair.receive(pair.destination.data(), 10, &request), "17th");
  ASSERT_EQ(pair.consume(first), 0);
  EXPECT_EQ(pair.receive(pair.destination.data(), 10, &request), 0);
}

TEST_F(EmuRules, PostingOnTheWrongEndIsNoticed) {
  void* request = nullptr;
  expect_violation(
      plugin->isend(pair.receive_comm, pair.source.data(), 10, 0, pair.send_registration, &request),
      "no live send comm");
  void* data = pair.destination.data();
  int bytes = 10;
  int tag = 0;
  expect_violation(
      plugin->irecv(pair.send_comm, 1, &data, &bytes, &tag, &pair.receive_registration, &request),
      "no live receive comm");
}

TEST_F(EmuRules, OnlyTheOldestMayBeTested) {
  posted_send(10);
  void* const second_send = posted_send(10);
  posted_receive(10);
  void* const second_receive = posted_receive(10);
  int done = 1;
  expect_violation(pair.test(second_send, &done), "the oldest unfinished is 0");
  EXPECT_EQ(done, 0);
  expect_violation(pair.test(second_receive, &done), "the oldest unfinished is 0");
}

TEST_F(EmuRules, ADoneRequestIsNotTestedAgain) {
  void* const receiving = posted_receive(10);
  void* const sending = posted_send(10);
  ASSERT_EQ(pair.finish(sending, receiving), 0);
  int done = 0;
  expect_violation(pair.test(sending, &done), "done already");
  expect_violation(pair.test(receiving, &done), "done already");
  ASSERT_EQ(pair.consume(receiving), 0);
  expect_violation(pair.test(receiving, &done), "done already");
}

TEST_F(EmuRules, WhatIsNoRequestIsNotTested) {
  int done = 0;
  int local = 0;
  expect_violation(pair.test(nullptr, &done), "no request");
  expect_violation(pair.test(&local, &done), "no request");
  void* const sending = posted_send(10);
  expect_violation(plugin->test(sending, nullptr, nullptr), "nowhere to say done");
  pair.close();
  expect_violation(pair.test(sending, &done), "comm is closed");
}

TEST_F(EmuRules, ALongerSendThanTheReceiveFailsOnBothEnds) {
  void* const sending = posted_send(8192);
  void* const second = posted_send(100);
  void* const receiving = posted_receive(4096);
  int result = 0;
  int done = 0;
  ASSERT_TRUE(eventually([&] { return pair.test(sending, &done) != 0 || done; }));
  ASSERT_TRUE(eventually([&] { return (result = pair.test(receiving, &done)) != 0; }));
  expect_violation(result, "meets a receive of 4096");
  result = 0;
  ASSERT_TRUE(eventually([&] { return (result = pair.test(second, &done)) != 0 || done; }));
  expect_violation(result, "longer than its receive");
  void* request = nullptr;
  EXPECT_EQ(pair.send(pair.source.data(), 1, &request), emu::kInternalError);
  EXPECT_EQ(pair.receive(pair.destination.data(), 1, &request), emu::kInternalError);
}

TEST_F(EmuRules, ConsumingIsInOrderOnceAndAfterDone) {
  void* const first = posted_receive(10);
  expect_violation(pair.consume(first), "before test said done");
  ASSERT_EQ(pair.finish(posted_send(10), first), 0);
  void* const second = finished_receive(10);
  expect_violation(pair.consume(second), "it is the turn of 0");
  EXPECT_EQ(pair.consume(first), 0);
  expect_violation(pair.consume(first), "no live one");
  EXPECT_EQ(pair.consume(second), 0);
}

TEST_F(EmuRules, ConsumingWantsOneReceiveOfThatComm) {
  void* const receiving = finished_receive(10);
  expect_violation(pair.consume(posted_send(10)), "no receive of this comm");
  expect_violation(pair.consume(nullptr), "no receive of this comm");
  expect_violation(plugin->irecv_consumed(pair.receive_comm, 2, receiving), "irecvConsumed of 2");
  expect_violation(plugin->irecv_consumed(pair.send_comm, 1, receiving), "no live receive comm");
  Pair other(plugin);
  ASSERT_TRUE(other.connect());
  expect_violation(plugin->irecv_consumed(other.receive_comm, 1, receiving), "of this comm");
  EXPECT_EQ(pair.consume(receiving), 0);
}

TEST_F(EmuRules, FlushIsNeverCalled) {
  expect_violation(plugin->iflush(pair.receive_comm, 1, nullptr, nullptr, nullptr, nullptr),
                   "iflush");
}

TEST_F(EmuRules, GetDeviceMrDoesNothing) {
  void* out = &violations;
  EXPECT_EQ(plugin->get_device_mr(pair.receive_comm, pair.receive_registration, &out), 0);
  EXPECT_EQ(out, &violations);
}

TEST_F(EmuRules, ClosingWithReceivesOutstandingLeaksTheirPages) {
  finished_receive(50000);
  posted_receive(10);
  const std::uint64_t pages = plugin.stats().pages_in_use;
  EXPECT_GE(pages, 13U);
  pair.close();
  EXPECT_EQ(plugin.stats().slots_leaked, 2U);
  EXPECT_EQ(plugin.stats().pages_in_use, pages);
  EXPECT_EQ(plugin.stats().violations, 0U);
}

TEST_F(EmuRules, ClosingWithSendsUnfinishedIsCounted) {
  posted_send(10);
  posted_send(10);
  pair.close();
  EXPECT_EQ(plugin.stats().sends_abandoned, 2U);
  EXPECT_EQ(plugin.stats().violations, 0U);
}

TEST_F(EmuRules, AnEarlyCloseFailsTheReceiverEvenWhereAllBytesAreThere) {
  void* const sending = posted_send(10);
  int done = 0;
  ASSERT_TRUE(eventually([&] { return pair.test(sending, &done) != 0 || done; }));
  ASSERT_EQ(plugin->close_send(std::exchange(pair.send_comm, nullptr)), 0);
  void* const receiving = posted_receive(10);
  int result = 0;
  ASSERT_TRUE(eventually([&] { return (result = pair.test(receiving, &done)) != 0; }));
  EXPECT_EQ(result, emu::kSystemError);
  EXPECT_EQ(pair.test(receiving, &done), emu::kSystemError);
}

TEST_F(EmuRules, AnEarlyCloseFailsTheSender) {
  ASSERT_EQ(plugin->close_receive(std::exchange(pair.receive_comm, nullptr)), 0);
  int result = 0;
  int done = 0;
  ASSERT_TRUE(eventually([&] {
    void* const sending = posted_send(10);
    do result = pair.test(sending, &done);
    while (result == 0 && !done);
    return result != 0;
  }));
  EXPECT_EQ(result, emu::kSystemError);
}

TEST_F(EmuRules, SigpipeMustBeIgnored) {
  std::signal(SIGPIPE, SIG_DFL);
  void* request = nullptr;
  const int result = pair.send(pair.source.data(), 10, &request);
  std::signal(SIGPIPE, SIG_IGN);
  expect_violation(result, "SIGPIPE");
}

TEST(EmuThreads, ACommBelongsToOneThreadAtATime) {
  Plugin plugin(Environment{{"HAWSER_EMU_FAULTS", "irecvConsumed@0=delay:200"}});
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  void* sending = nullptr;
  std::array<void*, 2> receiving{};
  ASSERT_EQ(pair.send(pair.source.data(), 10, &sending), 0);
  for (void*& request : receiving)
    ASSERT_EQ(pair.receive(pair.destination.data(), 10, &request), 0);
  ASSERT_EQ(pair.finish(sending, receiving[0]), 0);
  std::thread other([&] { pair.consume(receiving[0]); });  // is in the comm for a while
  EXPECT_TRUE(eventually([&] {
    int done = 0;
    pair.test(receiving[1], &done);
    return plugin.stats().violations != 0;
  }));
  other.join();
  EXPECT_NE(std::string(plugin.stats().last_violation).find("another thread"), std::string::npos);
}

TEST(EmuChunkSize, UnsetOrZeroRefusesTheFirstRequest) {
  for (const char* chunk : {"", "0"}) {
    Plugin plugin(Environment{{"NCCL_DYNAMIC_CHUNK_SIZE", chunk}});
    Pair pair(plugin);
    ASSERT_TRUE(pair.connect());
    void* request = nullptr;
    EXPECT_EQ(pair.send(pair.source.data(), 0, &request), emu::kInternalError);
    EXPECT_EQ(pair.receive(pair.destination.data(), 10, &request), emu::kInternalError);
    EXPECT_EQ(plugin.stats().violations, 2U);
    EXPECT_NE(Plugin::log().find("the real plugin hangs"), std::string::npos);
  }
}

TEST(EmuChunkSize, MoreThan2047FragmentsEndTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Plugin plugin(
      Environment{{"NCCL_DYNAMIC_CHUNK_SIZE", "16777216"}, {"HAWSER_EMU_FRAGMENTS", "pages"}});
  Pair pair(plugin);
  pair.source = PageBuffer(16 << 20);
  pair.destination = PageBuffer(16 << 20);
  ASSERT_TRUE(pair.connect());
  const auto transfer = [&pair](int bytes) {
    void* sending = nullptr;
    void* receiving = nullptr;
    EXPECT_EQ(pair.send(pair.source.data(), bytes, &sending), 0);
    EXPECT_EQ(pair.receive(pair.destination.data(), bytes, &receiving), 0);
    return pair.finish(sending, receiving);
  };
  EXPECT_EQ(transfer(2047 * 4096), 0);
  EXPECT_EXIT(transfer(2047 * 4096 + 1), ::testing::ExitedWithCode(1), "2048 fragments");
}

TEST(EmuDeviceScope, ARegistrationIsOfOneDevice) {
  Plugin plugin;
  int count = 0;
  ASSERT_EQ(plugin->devices(&count), 0);
  if (count < 2) GTEST_SKIP() << "only one interface with an address here";
  Pair first(plugin, 0);
  Pair second(plugin, count - 1);
  ASSERT_TRUE(first.connect());
  ASSERT_TRUE(second.connect());
  void* request = nullptr;
  EXPECT_EQ(plugin->isend(second.send_comm, first.source.data(), 10, 0, first.send_registration,
                          &request),
            emu::kInternalError);
  EXPECT_NE(std::string(plugin.stats().last_violation).find("registration of device 0"),
            std::string::npos);
}

}  // namespace
}  // namespace hawser::emu_test
