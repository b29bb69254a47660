// What ends a connection over several sockets, and what only makes it slower.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <random>
#include <vector>

#include "base/log.h"
#include "support/file_limit.h"
#include "support/net_pair.h"
#include "support/ports.h"
#include "support/seed.h"
#include "support/tcp_pair.h"
#include "support/tcp_raw.h"
#include "support/threads.h"

namespace hawser {
namespace {

using namespace test;
using tcp::FrameType;
using testing::AnyOf;
using testing::HasSubstr;

constexpr int kSocketsEach = 4;

class TcpStripingFailure : public testing::TestWithParam<int> {
 protected:
  TcpPair connect(std::size_t buffer_bytes) {
    return TcpPair(kSocketsEach, GetParam(), buffer_bytes);
  }
  // All of its sockets are there.
  static bool whole(TcpPair& pair) {
    return eventually([&] {
      return testing::Test::HasFailure() || !pair.move(kMiB) ||
             connected_sockets().size() == 2 * kSocketsEach;
    });
  }
};
INSTANTIATE_TEST_SUITE_P(IoThreads, TcpStripingFailure, testing::Values(0, 2));

// Some messages are under way; the receiver has posted some of them.
struct HalfPosted {
  std::vector<Request*> sends, receives;
};
HalfPosted start(TcpPair& pair, std::mt19937_64& random, std::size_t each, std::size_t count) {
  HalfPosted under_way;
  for (std::size_t i = 0; i < count; ++i) under_way.sends.push_back(pair.send(i * each, each));
  for (std::size_t i = 0; i < count / 2; ++i)
    under_way.receives.push_back(pair.receive(i * each, each));
  for (std::uint64_t polls = random() % 100; polls > 0; --polls) {
    std::erase_if(under_way.sends, [&](auto* r) { return pair.sender().test(r)->done; });
    std::erase_if(under_way.receives, [&](auto* r) { return pair.receiver().test(r)->done; });
  }
  return under_way;
}

TEST_P(TcpStripingFailure, ASenderThatDiesIsAnErrorOfTheReceiverSoon) {
  std::mt19937_64 random(seed_of_this_run());
  constexpr std::size_t kEach = kMiB;
  for (int round = 0; round < 20; ++round) {
    TcpPair pair = connect(8 * kEach);
    ASSERT_TRUE(whole(pair));
    pair.to().reset();
    HalfPosted under_way = start(pair, random, kEach, 8);
    pair.end_sender();
    if (under_way.sends.empty()) continue;  // all of it was on its way already
    for (Request* const receive : under_way.receives) {
      const Error error = error_of(pair.receiver(), receive);
      EXPECT_THAT(error.code(), AnyOf(Code::peer, Code::internal)) << error.message();
    }
    EXPECT_TRUE(pair.to().untouched_outside(0, 4 * kEach)) << "no receive was posted there";
  }
}

TEST_P(TcpStripingFailure, AReceiverThatDiesIsAnErrorOfTheSenderSoon) {
  std::mt19937_64 random(seed_of_this_run());
  constexpr std::size_t kEach = kMiB;
  for (int round = 0; round < 20; ++round) {
    TcpPair pair = connect(8 * kEach);
    ASSERT_TRUE(whole(pair));
    pair.to().reset();
    HalfPosted under_way = start(pair, random, kEach, 8);
    pair.end_receiver();
    for (Request* const send : under_way.sends) {
      const Error error = error_of(pair.sender(), send);
      EXPECT_THAT(error.code(), AnyOf(Code::peer, Code::internal)) << error.message();
    }
    EXPECT_TRUE(pair.to().untouched_outside(0, 4 * kEach));
  }
}

TEST_P(TcpStripingFailure, AReceiveThatIsTooSmallEndsBothSidesAndNothingIsWritten) {
  TcpPair pair = connect(16 * kMiB);
  ASSERT_TRUE(whole(pair));
  pair.to().reset();
  Request* const send = pair.send(0, 16 * kMiB);
  Request* const receive = pair.receive(0, kMiB);
  const Error here = error_of(pair.receiver(), receive);
  EXPECT_EQ(here.code(), Code::protocol);
  EXPECT_THAT(here.message(), HasSubstr("has 16777216 bytes"));
  EXPECT_EQ(error_of(pair.sender(), send).code(), Code::peer);
  EXPECT_TRUE(pair.to().untouched_outside(0, 0));
  EXPECT_FALSE(pair.sender().try_send(pair.from().data(), 1, 0, nullptr).ok());
}

TEST_P(TcpStripingFailure, OtherConnectionsOfTheSameThreadsGoOn) {
  TcpPair doomed = connect(16 * kMiB), other = connect(16 * kMiB);
  ASSERT_TRUE(doomed.move(16 * kMiB));
  ASSERT_TRUE(other.move(16 * kMiB));
  doomed.send(0, 16 * kMiB);
  doomed.end_receiver();
  doomed.end_sender();
  fill_pattern(other.from().span(0, 16 * kMiB), 9);
  ASSERT_TRUE(other.move(16 * kMiB));
  EXPECT_EQ(pattern_mismatch(other.to().span(0, 16 * kMiB), 9), "");
}

// Comms that come and go on threads that stay.
TEST_P(TcpStripingFailure, ManyConnectionsOneAfterTheOtherOnTheSameThreads) {
  const auto net = loopback_net(kSocketsEach, GetParam());
  GuardedBuffer from(kMiB), to(kMiB);
  for (int round = 0; round < 200; ++round) {
    auto pair = connect_pair(*net, 0, Deadline::after(kPairPatience));
    ASSERT_TRUE(pair.ok()) << pair.error().message();
    Registration* const source = *pair->sender->register_memory(from.range());
    Registration* const sink = *pair->receiver->register_memory(to.range());
    Request* const receive = *pair->receiver->try_receive(to.data(), kMiB, 0, sink);
    Request* const send = *pair->sender->try_send(from.data(), kMiB, 0, source);
    bool sent = false, received = false;
    ASSERT_TRUE(eventually([&] {
      sent = sent || pair->sender->test(send)->done;
      received = received || pair->receiver->test(receive)->done;
      return sent && received;
    }));
    EXPECT_TRUE(pair->sender->deregister(source).ok());
    EXPECT_TRUE(pair->receiver->deregister(sink).ok());
    if (round % 2 == 0) pair->receiver.reset();
  }
  EXPECT_TRUE(connected_sockets().empty());
}

TEST_P(TcpStripingFailure, ASenderThatMayOpenNoFurtherSocketGoesOnWithOne) {
  TcpPair pair = connect(16 * kMiB);
  fill_pattern(pair.from().span(0, 16 * kMiB), 1);
  {
    const NoMoreFiles none;
    ASSERT_TRUE(pair.move(16 * kMiB));
  }
  EXPECT_EQ(pattern_mismatch(pair.to().span(0, 16 * kMiB), 1), "");
  EXPECT_EQ(connected_sockets().size(), 2u);
  ASSERT_TRUE(pair.move(16 * kMiB));
}

// The sender's sockets are made, but the receiver can accept one of them only as long as that
// lasts.
TEST_P(TcpStripingFailure, AReceiverThatMayAcceptNoFurtherSocketGoesOnAndDoesSoLater) {
  TcpPair pair = connect(16 * kMiB);
  {
    const unsigned of_threads = GetParam() == 0 ? 0 : 2u * 2;  // an epoll and an eventfd each
    const NoMoreFiles none(kSocketsEach - 1 + of_threads);
    ASSERT_TRUE(pair.move(16 * kMiB));
  }
  EXPECT_EQ(connected_sockets().size(), kSocketsEach + 1u)
      << "the sender's, and one of the receiver";
  EXPECT_TRUE(whole(pair));
}

// ------------------------------------------------------------ a sender of ours, a raw receiver

class TcpStripingSender : public testing::TestWithParam<int> {
 protected:
  TcpStripingSender() : net_(loopback_net(kSocketsEach, GetParam())), from_(16 * kMiB) {
    set_log_sink([](LogLevel, std::string_view) {});
  }
  ~TcpStripingSender() override {
    EXPECT_TRUE(!comm_ || comm_->deregister(source_).ok());
    comm_.reset();
    set_log_sink({});
  }
  void connect(unsigned flows) {
    comm_ = send_to(raw_, *net_, flows, first_);
    source_ = *comm_->register_memory(from_.range());
  }
  Request* send(std::size_t bytes) { return *comm_->try_send(from_.data(), bytes, 0, source_); }
  // One that read() polls.
  void send_and_poll(std::size_t bytes) { polled_ = send(bytes); }
  bool done() {
    if (polled_ == nullptr) return true;
    const auto result = comm_->test(polled_);
    EXPECT_TRUE(result.ok()) << result.error().message();
    if (!result.ok() || result->done) polled_ = nullptr;
    return polled_ == nullptr;
  }
  // So many bytes of a flow, while the sender is polled.
  Bytes read(const UniqueFd& fd, std::size_t bytes) {
    Bytes all(bytes);
    std::size_t have = 0;
    EXPECT_TRUE(eventually([&] {
      (void)done();
      const ssize_t got = ::recv(fd.get(), all.data() + have, bytes - have, MSG_DONTWAIT);
      if (got > 0) have += static_cast<std::size_t>(got);
      return have == bytes || HasFailure();
    }));
    return all;
  }
  tcp::FrameHeader read_header(const UniqueFd& fd, std::size_t bytes = tcp::kHeaderBytes) {
    const Bytes got = read(fd, bytes);
    const auto header =
        tcp::decode_header(std::span<const std::byte>(got).first<tcp::kHeaderBytes>());
    EXPECT_TRUE(header.ok());
    return header.ok() ? *header : tcp::FrameHeader{};
  }
  // Connected and greeted, from the second on.
  std::vector<UniqueFd> accept_further(unsigned count) {
    std::vector<UniqueFd> further;
    for (unsigned i = 1; i <= count; ++i) {
      further.push_back(raw_.accept());
      const tcp::FrameHeader hello = read_header(further.back(), tcp::kGreetingBytes);
      EXPECT_EQ(hello, (tcp::FrameHeader{FrameType::hello, 0, i, kSocketsEach, 0, 16}));
    }
    return further;
  }

  std::unique_ptr<Net> net_;
  GuardedBuffer from_;
  RawReceiver raw_;
  UniqueFd first_;
  std::unique_ptr<SendComm> comm_;
  Registration* source_ = nullptr;
  Request* polled_ = nullptr;
};
INSTANTIATE_TEST_SUITE_P(IoThreads, TcpStripingSender, testing::Values(0, 2));

TEST_P(TcpStripingSender, ALoneMessageLeavesAtOnce) {
  connect(kSocketsEach);
  for (const std::size_t bytes : {0, 1, 1000, 60000}) {
    Request* const request = send(bytes);
    ASSERT_TRUE(eventually([&] { return waiting_bytes(first_) >= tcp::frame_bytes(bytes); }))
        << "nobody has tested it";
    EXPECT_EQ(read_header(first_, tcp::frame_bytes(bytes)).bytes, bytes);
    EXPECT_TRUE(comm_->test(request)->done);
  }
}

TEST_P(TcpStripingSender, SmallMessagesBehindItAreHeldBackUntilOneIsTested) {
  connect(kSocketsEach);
  send(100);
  std::vector<Request*> behind;
  for (int i = 0; i < 10; ++i) behind.push_back(send(100));
  ASSERT_TRUE(eventually([&] { return waiting_bytes(first_) >= tcp::frame_bytes(100); }));
  EXPECT_EQ(waiting_bytes(first_), tcp::frame_bytes(100));
  EXPECT_TRUE(comm_->test(behind[3])->done) << "they went together";
  EXPECT_TRUE(eventually([&] { return waiting_bytes(first_) == 11 * tcp::frame_bytes(100); }));
}

TEST_P(TcpStripingSender, WhatComesToMuchIsNotHeldBack) {
  connect(kSocketsEach);
  send(100);
  for (int i = 0; i < 5; ++i) send(20000);
  EXPECT_TRUE(eventually([&] { return waiting_bytes(first_) > 60000; }));
}

TEST_P(TcpStripingSender, SaysHowManyWillComeAndTheyDo) {
  connect(kSocketsEach);
  send_and_poll(16 * kMiB);
  EXPECT_EQ(read_header(first_, tcp::kFrameUnit),
            (tcp::FrameHeader{FrameType::flows, 0, 0, kSocketsEach - 1, 0, 0}));
  (void)accept_further(kSocketsEach - 1);
}

TEST_P(TcpStripingSender, OpensNoMoreThanItWasGranted) {
  connect(2);
  send_and_poll(16 * kMiB);
  EXPECT_EQ(read_header(first_, tcp::kFrameUnit).total, 1u);
  const UniqueFd further = raw_.accept();
  EXPECT_EQ(connected_sockets().size(), 4u);
}

TEST_P(TcpStripingSender, GrantedOneItAnnouncesNothing) {
  connect(1);
  send_and_poll(16 * kMiB);
  EXPECT_EQ(read_header(first_).type, FrameType::piece);
}

TEST_P(TcpStripingSender, FurtherOnesThatAreRefusedAreNotNeeded) {
  connect(kSocketsEach);
  raw_.close();
  send_and_poll(16 * kMiB);
  (void)read(first_, tcp::kFrameUnit);  // the announcement
  for (std::uint64_t bytes = 0; bytes < 16 * kMiB && !HasFailure();) {
    const tcp::FrameHeader header = read_header(first_);
    EXPECT_EQ(header.offset, bytes);
    (void)read(first_, tcp::frame_bytes(header.bytes) - tcp::kHeaderBytes);
    bytes += header.bytes;
  }
  EXPECT_TRUE(done());
}

// Welcomed as another one, by somebody else, or with nonsense.
TEST_P(TcpStripingSender, FurtherOnesThatAreWelcomedWronglyAreGivenUp) {
  connect(kSocketsEach);
  send_and_poll(16 * kMiB);
  const auto further = accept_further(kSocketsEach - 1);
  raw_.welcome(further[0], 2, kSocketsEach);
  EXPECT_TRUE(
      say(further[1], tcp::encode_greeting(FrameType::welcome, tcp::Nonce{}, 2, kSocketsEach)));
  EXPECT_TRUE(say(further[2], std::as_bytes(std::span("HTTP/1.1 400 Bad Request\r\n", 26))));
  (void)read(first_, 8 * kMiB);
  for (const UniqueFd& fd : further) EXPECT_EQ(waiting_bytes(fd), 0u);
}

TEST_P(TcpStripingSender, APeerThatClosesItsSideForWritingStillGetsEverything) {
  connect(1);
  ::shutdown(first_.get(), SHUT_WR);
  send_and_poll(4 * kMiB);
  (void)read(first_, tcp::frame_bytes(4 * kMiB));
  EXPECT_TRUE(done());
}

TEST_P(TcpStripingSender, TheReasonOfAReceiverThatGivesUpIsTold) {
  connect(kSocketsEach);
  Request* const request = send(16 * kMiB);
  const std::string_view reason = "it is Sunday";
  EXPECT_TRUE(say(first_, frame({FrameType::abort, 0, 0, 0, 0, reason.size()},
                                std::as_bytes(std::span(reason)))));
  first_.reset();
  const Error error = error_of(*comm_, request);
  EXPECT_EQ(error.code(), Code::peer);
  EXPECT_THAT(error.message(), HasSubstr("the receiver gave up: it is Sunday"));
}

// The receiver resets a further flow right behind its welcome, and the sender finds out when it
// asks the socket for its addresses. It must not use that socket's number later: it may be
// another's.
class TcpPolledSender : public TcpStripingSender {};
INSTANTIATE_TEST_SUITE_P(IoThreads, TcpPolledSender, testing::Values(0));

TEST_P(TcpPolledSender, ADescriptorIsNotTouchedOnceItIsClosed) {
  connect(2);
  send_and_poll(16 * kMiB);
  UniqueFd further = raw_.accept();
  (void)read(further, tcp::kGreetingBytes);
  raw_.welcome(further, 1, 2);
  const linger at_once{1, 0};
  ASSERT_EQ(::setsockopt(further.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
  further.reset();
  for (int i = 0; i < 100; ++i) ASSERT_FALSE(done());
  // Whoever opens sockets now may get its number.
  const UniqueFd door = listen_on_loopback(0);
  std::vector<UniqueFd> others;
  for (int i = 0; i < 8; ++i) others.push_back(connect_to_loopback(bound_port(door)));
  for (const UniqueFd& other : others) ASSERT_FALSE(has_ended(other));
  first_.reset();
  EXPECT_EQ(error_of(*comm_, polled_).code(), Code::peer);
  for (const UniqueFd& other : others) EXPECT_FALSE(has_ended(other));
}

}  // namespace
}  // namespace hawser
