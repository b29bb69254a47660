// The further sockets of a connection, with a raw sender or receiver at their other end: what may
// go wrong with one of them, and what somebody hostile can do there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <thread>
#include <vector>

#include "base/log.h"
#include "support/file_limit.h"
#include "support/net_pair.h"
#include "support/tcp_pair.h"
#include "support/tcp_raw.h"
#include "support/threads.h"

namespace hawser {
namespace {

using namespace test;
using tcp::FrameType;
using testing::HasSubstr;

constexpr unsigned kFlows = 4;

Bytes announcement(unsigned further) {
  return frame({FrameType::flows, 0, 0, further, 0, 0});
}

// ------------------------------------------------------------- a raw sender, a receiver of ours

class TcpFurtherFlows : public testing::TestWithParam<int> {
 protected:
  TcpFurtherFlows() : net_(loopback_net(kFlows, GetParam())), to_(4 * kMiB) {
    set_log_sink([this](LogLevel, std::string_view line) { log_.emplace_back(line); });
    listener_ = std::move(*net_->listen(0));
    raw_ = std::make_unique<RawSender>(listener_->handle());
    comm_ = receive_from(*raw_, *listener_, kFlows, first_);
    sink_ = *comm_->register_memory(to_.range());
  }
  ~TcpFurtherFlows() override {
    EXPECT_TRUE(comm_->deregister(sink_).ok());
    comm_.reset();
    set_log_sink({});
  }

  Request* receive(std::size_t offset, std::size_t bytes) {
    return *comm_->try_receive(to_.data() + offset, bytes, 0, sink_);
  }
  // Tests it until it is done; also polls the comm, of course.
  bool arrives(Request* request) {
    return eventually([&] {
      const auto result = comm_->test(request);
      EXPECT_TRUE(result.ok()) << result.error().message();
      return !result.ok() || result->done;
    });
  }
  // Says that so many will come, which a receiver learns when it awaits something.
  void announce(unsigned further) { ASSERT_TRUE(say(first_, announcement(further))); }
  // A further flow that the receiver has welcomed, while it awaits `pending`.
  UniqueFd join(unsigned flow, Request* pending) {
    UniqueFd fd = raw_->hello(flow, kFlows);
    EXPECT_TRUE(eventually([&] {
      EXPECT_TRUE(comm_->test(pending).ok());
      return waiting_bytes(fd) == tcp::kGreetingBytes;
    }));
    EXPECT_TRUE(raw_->welcomed(fd, flow));
    return fd;
  }
  // The receiver ends it without a welcome, and goes on.
  void expect_dropped(const UniqueFd& fd, Request* pending) {
    EXPECT_TRUE(eventually([&] {
      EXPECT_TRUE(comm_->test(pending).ok());
      return has_ended(fd);
    }));
    EXPECT_EQ(waiting_bytes(fd), 0u);
  }

  std::vector<std::string> log_;
  std::unique_ptr<Net> net_;
  GuardedBuffer to_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<RawSender> raw_;
  std::unique_ptr<ReceiveComm> comm_;
  Registration* sink_ = nullptr;
  UniqueFd first_;
};
INSTANTIATE_TEST_SUITE_P(IoThreads, TcpFurtherFlows, testing::Values(0, 2));

TEST_P(TcpFurtherFlows, PiecesMayComeOverAnyOfThem) {
  Request* const message = receive(0, 1000);
  announce(3);
  const UniqueFd one = join(2, message), other = join(3, message);
  EXPECT_TRUE(say(other, piece(0, 1000, 600, 400)));
  EXPECT_TRUE(say(one, piece(0, 1000, 0, 300)));
  EXPECT_TRUE(say(first_, piece(0, 1000, 300, 300)));
  EXPECT_TRUE(arrives(message));
  EXPECT_EQ(pattern_mismatch(to_.span(0, 1000), 1), "");
  EXPECT_TRUE(to_.untouched_outside(0, 1000));
}

TEST_P(TcpFurtherFlows, ALaterMessageWaitsForItsReceiveAndKeepsNobodyElseWaiting) {
  Request* const message = receive(0, 1000);
  announce(1);
  const UniqueFd further = join(1, message);
  EXPECT_TRUE(say(further, piece(1, 1000, 0, 500)));
  EXPECT_TRUE(say(first_, whole_message(0, 1000)));
  EXPECT_TRUE(arrives(message));
  Request* const late = receive(1000, 1000);
  EXPECT_TRUE(say(first_, piece(1, 1000, 500, 500)));
  EXPECT_TRUE(arrives(late));
  EXPECT_EQ(pattern_mismatch(to_.span(1000, 1000), 1), "");
}

TEST_P(TcpFurtherFlows, OneThatNeverComesIsNotNeeded) {
  announce(3);
  for (std::uint32_t i = 0; i < 10; ++i) {
    Request* const message = receive(0, kMiB);
    EXPECT_TRUE(say(first_, whole_message(i, 100000)));
    EXPECT_TRUE(arrives(message));
  }
}

TEST_P(TcpFurtherFlows, OneThatNeverGreetsIsNotNeeded) {
  announce(3);
  const UniqueFd silent = raw_->knock(), other = raw_->knock();
  EXPECT_TRUE(say(other, std::as_bytes(std::span("HWT", 3))));
  for (std::uint32_t i = 0; i < 10; ++i) {
    Request* const message = receive(0, kMiB);
    EXPECT_TRUE(say(first_, whole_message(i, 100000)));
    EXPECT_TRUE(arrives(message));
  }
  EXPECT_FALSE(has_ended(silent)) << "it still has time to do so";
}

TEST_P(TcpFurtherFlows, StrangersAreDroppedAndTheRealOnesServed) {
  Request* const message = receive(0, 1000);
  announce(1);
  UniqueFd guesser = raw_->knock();
  tcp::Nonce wrong = raw_->nonce();
  wrong[7] ^= std::byte{1};
  EXPECT_TRUE(say(guesser, tcp::encode_greeting(FrameType::hello, wrong, 1, kFlows)));
  expect_dropped(guesser, message);
  const UniqueFd first_again = raw_->hello(0, kFlows), unknown = raw_->hello(2, kFlows),
                 beyond = raw_->hello(tcp::kMaxFlows - 1, tcp::kMaxFlows);
  for (const UniqueFd* fd : {&first_again, &unknown, &beyond}) expect_dropped(*fd, message);
  const UniqueFd real = join(1, message);
  EXPECT_TRUE(say(real, whole_message(0, 1000)));
  EXPECT_TRUE(arrives(message));
  EXPECT_EQ(pattern_mismatch(to_.span(0, 1000), 1), "");
}

TEST_P(TcpFurtherFlows, TheSameOneTwiceIsDropped) {
  Request* const message = receive(0, 1000);
  announce(2);
  const UniqueFd real = join(1, message);
  const UniqueFd again = raw_->hello(1, kFlows);
  expect_dropped(again, message);
  EXPECT_TRUE(say(real, whole_message(0, 1000)));
  EXPECT_TRUE(arrives(message));
}

TEST_P(TcpFurtherFlows, OnceAllHaveComeTheDoorIsClosed) {
  announce(1);
  const UniqueFd real = join(1, receive(0, 1000));
  EXPECT_FALSE(raw_->knock().valid());
}

TEST_P(TcpFurtherFlows, MoreThanWereAgreedOnAreAnError) {
  Request* const message = receive(0, 1000);
  announce(kFlows);
  const Error error = error_of(*comm_, message);
  EXPECT_EQ(error.code(), Code::protocol);
  EXPECT_THAT(error.message(), HasSubstr("announces 4 further sockets"));
}

TEST_P(TcpFurtherFlows, AnnouncedTwiceIsAnError) {
  Request* const message = receive(0, 1000);
  announce(2);
  const UniqueFd one = join(1, message);
  announce(1);
  EXPECT_EQ(error_of(*comm_, message).code(), Code::protocol);
}

TEST_P(TcpFurtherFlows, OnAFurtherOneNothingIsAnnounced) {
  Request* const message = receive(0, 1000);
  announce(2);
  const UniqueFd one = join(1, message);
  EXPECT_TRUE(say(one, announcement(1)));
  const Error error = error_of(*comm_, message);
  EXPECT_EQ(error.code(), Code::protocol);
  EXPECT_THAT(error.message(), HasSubstr("a frame of type 5 where a message was due"));
}

TEST_P(TcpFurtherFlows, WhatOneOfThemSaysWrongEndsAll) {
  Request* const message = receive(0, 1000);
  announce(1);
  const UniqueFd one = join(1, message);
  EXPECT_TRUE(say(one, piece(0, 2000, 0, 1000)));
  const Error error = error_of(*comm_, message);
  EXPECT_EQ(error.code(), Code::protocol);
  EXPECT_THAT(error.message(), HasSubstr("has 2000 bytes"));
  EXPECT_TRUE(to_.untouched_outside(0, 0));
  EXPECT_TRUE(eventually([&] { return has_ended(first_) && has_ended(one); }));
}

TEST_P(TcpFurtherFlows, OneThatIsCutOffWithinAPieceIsAnErrorAtOnce) {
  Request* const message = receive(0, 1000);
  announce(1);
  UniqueFd one = join(1, message);
  const Bytes cut = piece(0, 1000, 0, 500);
  EXPECT_TRUE(say(one, std::span(cut).first(300)));
  one.reset();
  const Error error = error_of(*comm_, message);
  EXPECT_EQ(error.code(), Code::peer);
  EXPECT_THAT(error.message(), HasSubstr("the sender closed the connection"));
  EXPECT_TRUE(to_.untouched_outside(0, 500));
}

// Half a connection: what is closed for writing is still there for whatever comes over the others.
TEST_P(TcpFurtherFlows, OneThatIsClosedForWritingLeavesTheOthersTheirs) {
  Request* const message = receive(0, kMiB);
  announce(2);
  const UniqueFd one = join(1, message), other = join(2, message);
  EXPECT_TRUE(say(one, piece(0, 1000, 0, 400)));
  ::shutdown(one.get(), SHUT_WR);
  EXPECT_TRUE(say(other, piece(0, 1000, 400, 300)));
  ::shutdown(other.get(), SHUT_WR);
  EXPECT_TRUE(say(first_, piece(0, 1000, 700, 300)));
  EXPECT_TRUE(arrives(message));
  EXPECT_EQ(pattern_mismatch(to_.span(0, 1000), 1), "");
  Request* const next = receive(0, kMiB);
  EXPECT_TRUE(say(first_, whole_message(1, 1000)));
  EXPECT_TRUE(arrives(next));
  Request* const last = receive(0, kMiB);
  ::shutdown(first_.get(), SHUT_WR);
  EXPECT_EQ(error_of(*comm_, last).code(), Code::peer) << "once all have ended, at once";
}

// Who closes a socket with something unread in it resets the connection. So does a sender that
// ends while a further flow is being made, and has not read the welcome.
TEST_P(TcpFurtherFlows, OneThatIsResetBeforeItCarriedAnythingIsNotNeeded) {
  Request* const message = receive(0, 1000);
  announce(2);
  UniqueFd one = raw_->hello(1, kFlows);
  ASSERT_TRUE(eventually([&] {
    EXPECT_TRUE(comm_->test(message).ok());
    return waiting_bytes(one) == tcp::kGreetingBytes;
  }));
  one.reset();
  EXPECT_TRUE(say(first_, piece(0, 1000, 0, 500)));
  for (int i = 0; i < 1000; ++i) {  // whoever drives it has seen that by now
    const auto result = comm_->test(message);
    ASSERT_TRUE(result.ok()) << result.error().message();
    std::this_thread::yield();
  }
  EXPECT_TRUE(say(first_, piece(0, 1000, 500, 500)));
  first_.reset();
  EXPECT_TRUE(arrives(message));
}

TEST_P(TcpFurtherFlows, AMessageThatIsLeftOutIsAnError) {
  Request* const message = receive(0, 1000);
  EXPECT_TRUE(say(first_, whole_message(1, 1000)));
  EXPECT_THAT(error_of(*comm_, message).message(), HasSubstr("left a message out"));
}

// It takes some seconds: what another thread is about to read must not be taken for missing.
class TcpThreadedFlows : public TcpFurtherFlows {};
INSTANTIATE_TEST_SUITE_P(IoThreads, TcpThreadedFlows, testing::Values(2));

TEST_P(TcpThreadedFlows, AMessageThatIsLeftOutOnAllOfThemIsAnError) {
  Request* const message = receive(0, 1000);
  announce(1);
  const UniqueFd one = join(1, message);
  EXPECT_TRUE(say(one, whole_message(1, 1000)));
  EXPECT_TRUE(say(first_, whole_message(2, 1000)));
  const Error error = error_of(*comm_, message);
  EXPECT_EQ(error.code(), Code::protocol);
  EXPECT_THAT(error.message(), HasSubstr("left a message out"));
}

}  // namespace
}  // namespace hawser
