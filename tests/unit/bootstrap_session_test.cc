#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "bootstrap/session.h"
#include "support/bootstrap_fixture.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using test::connected_pair;
using test::line_of;
using test::RawPeer;
using ::testing::HasSubstr;

constexpr auto kPatience = 20s;

// Collects what a session tells. Thread-safe; must outlive the session.
class Listening {
 public:
  Session::Handler handler() {
    return {[this](wire::Message message) {
              const std::lock_guard lock(mutex_);
              messages_.push_back(std::move(message));
              changed_.notify_all();
            },
            [this](Error error) {
              const std::lock_guard lock(mutex_);
              losses_.push_back(std::move(error));
              changed_.notify_all();
            }};
  }
  bool wait_for_messages(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return messages_.size() >= count; });
  }
  bool wait_for_loss() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return !losses_.empty(); });
  }
  std::vector<wire::Message> messages() {
    const std::lock_guard lock(mutex_);
    return messages_;
  }
  std::vector<Error> losses() {
    const std::lock_guard lock(mutex_);
    return losses_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<wire::Message> messages_;
  std::vector<Error> losses_;
};

std::unique_ptr<Session> start(UniqueFd socket, Listening& listening,
                               Session::Options options = {}) {
  auto session =
      Session::start(line_of(std::move(socket)), options, listening.handler());
  EXPECT_TRUE(session.ok());
  return session.ok() ? std::move(*session) : nullptr;
}

TEST(ControlSession, MessagesArriveInOrderBothWays) {
  auto [left, right] = connected_pair();
  Listening at_left;
  Listening at_right;
  auto one = start(std::move(left), at_left);
  auto other = start(std::move(right), at_right);
  for (std::uint32_t id = 0; id < 100; ++id) {
    ASSERT_TRUE(one->send(wire::Barrier{id}).ok());
    ASSERT_TRUE(other->send(wire::Barrier{1000 + id}).ok());
  }
  ASSERT_TRUE(at_left.wait_for_messages(100));
  ASSERT_TRUE(at_right.wait_for_messages(100));
  for (std::uint32_t id = 0; id < 100; ++id) {
    EXPECT_EQ(std::get<wire::Barrier>(at_right.messages()[id]).id, id);
    EXPECT_EQ(std::get<wire::Barrier>(at_left.messages()[id]).id, 1000 + id);
  }
  EXPECT_TRUE(at_left.losses().empty());
  EXPECT_TRUE(at_right.losses().empty());
}

// As the server of a measurement does, whose last word needs no answer.
TEST(ControlSession, AMessageThatThePeerAnswersByClosingWasSentAllTheSame) {
  for (int round = 0; round < 200; ++round) {
    auto [left, right] = connected_pair();
    Listening listening;
    auto session = start(std::move(left), listening);
    std::thread reader([socket = std::move(right)]() mutable {
      std::byte byte;
      EXPECT_EQ(::recv(socket.get(), &byte, 1, MSG_PEEK), 1);
      ::shutdown(socket.get(), SHUT_RDWR);
    });
    EXPECT_TRUE(session->send(wire::Barrier{1}).ok()) << round;
    reader.join();
  }
}

TEST(ControlSession, DeliversWhatWasReadBehindTheHandshake) {
  auto [left, right] = connected_pair();
  Listening listening;
  auto session = Session::start(line_of(std::move(left), wire::encode(wire::Barrier{5})), {},
                                listening.handler());
  ASSERT_TRUE(listening.wait_for_messages(1));
  EXPECT_EQ(std::get<wire::Barrier>(listening.messages()[0]).id, 5u);
}

TEST(ControlSession, TakesOnlySensibleTimes) {
  for (const auto& [heartbeat, liveness] : {std::pair{0ms, 10ms}, {10ms, 10ms}, {20ms, 10ms}}) {
    auto [left, right] = connected_pair();
    Listening listening;
    auto session = Session::start(line_of(std::move(left)), {heartbeat, liveness}, listening.handler());
    ASSERT_FALSE(session.ok());
    EXPECT_EQ(session.error().code(), Code::invalid_argument);
  }
}

// What on_lost says after `act` of the peer.
template <class Act>
Error loss_after(Act act, Session::Options options = {}) {
  auto [left, right] = connected_pair();
  Listening listening;
  auto session = start(std::move(left), listening, options);
  RawPeer peer(std::move(right));
  act(peer);
  EXPECT_TRUE(listening.wait_for_loss());
  session.reset();
  const auto losses = listening.losses();
  EXPECT_EQ(losses.size(), 1u);
  return losses.empty() ? Error(Code::internal, "no loss") : losses.front();
}

TEST(ControlSessionLoss, PeerThatCloses) {
  const Error lost = loss_after([](RawPeer& peer) { peer.close(); });
  EXPECT_EQ(lost.code(), Code::peer);
  EXPECT_EQ(lost.message(), "the peer closed the connection: its process has ended or was killed");
}

TEST(ControlSessionLoss, PeerThatClosesInTheMiddleOfAMessage) {
  const Error lost = loss_after([](RawPeer& peer) {
    const auto frame = wire::encode(wire::Barrier{1});
    peer.send(std::span(frame).first(17));
    peer.close();
  });
  EXPECT_EQ(lost.code(), Code::peer);
  EXPECT_THAT(lost.message(), HasSubstr("in the middle of a message"));
}

TEST(ControlSessionLoss, PeerThatResets) {
  const Error lost = loss_after([](RawPeer& peer) { peer.reset(); });
  EXPECT_EQ(lost.code(), Code::peer);
  EXPECT_THAT(lost.message(), HasSubstr("was reset"));
}

TEST(ControlSessionLoss, PeerThatRefuses) {
  const Error lost =
      loss_after([](RawPeer& peer) { peer.send(wire::encode(wire::Refuse{"no\nroom"})); });
  EXPECT_EQ(lost.code(), Code::peer);
  EXPECT_EQ(lost.message(), "the peer refused: no?room");
}

TEST(ControlSessionLoss, PeerThatSendsGarbage) {
  const Error lost = loss_after([](RawPeer& peer) { peer.send("garbage"); });
  EXPECT_EQ(lost.code(), Code::protocol);
  EXPECT_EQ(lost.message(), "the peer sent what no hawser sends: not hawser: 'garbage'");
}

TEST(ControlSessionLoss, PeerThatBeginsASecondHandshake) {
  const Error lost = loss_after([](RawPeer& peer) { peer.send(wire::encode(test::good_hello())); });
  EXPECT_EQ(lost.code(), Code::protocol);
  EXPECT_THAT(lost.message(), HasSubstr("a second Hello"));
}

TEST(ControlSessionLoss, SilentPeerIsFoundWithinLiveness) {
  const auto before = std::chrono::steady_clock::now();
  const Error lost = loss_after([](RawPeer&) {}, {20ms, 200ms});
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_EQ(lost.code(), Code::timeout);
  EXPECT_THAT(lost.message(), HasSubstr("silent for 0.2 s"));
  EXPECT_GE(took, 200ms);
  EXPECT_LT(took, 5s);
}

TEST(ControlSession, AnyByteIsASignOfLife) {
  auto [left, right] = connected_pair();
  Listening listening;
  auto session = start(std::move(left), listening, {50ms, 1000ms});
  RawPeer peer(std::move(right));
  // One frame, so slowly that it takes longer than the liveness: its heartbeats to us are the
  // clock.
  const auto frame = wire::encode(wire::Barrier{3});
  for (std::size_t i = 0; i < frame.size(); ++i) {
    ASSERT_TRUE(peer.send(std::span(frame).subspan(i, 1)));
    for (int beats = 0; beats < 2; ++beats) ASSERT_TRUE(peer.receive().has_value());
  }
  EXPECT_TRUE(listening.wait_for_messages(1));
  EXPECT_TRUE(listening.losses().empty());
}

TEST(ControlSession, HeartbeatsKeepAQuietSessionAlive) {
  auto [left, right] = connected_pair();
  Listening at_left;
  auto session = start(std::move(left), at_left, {20ms, 60s});
  RawPeer peer(std::move(right));
  for (int i = 0; i < 10; ++i) {
    const auto message = peer.receive();
    ASSERT_TRUE(message.has_value());
    EXPECT_TRUE(std::holds_alternative<wire::Heartbeat>(*message));
  }
}

TEST(ControlSession, RefuseReachesThePeerThoughTheSessionIsDestroyedAtOnce) {
  for (int i = 0; i < 50; ++i) {
    auto [left, right] = connected_pair();
    RawPeer peer(std::move(right));
    // Unread bytes in the session's socket: a plain close would reset the connection.
    peer.send(wire::encode(wire::Barrier{1}));
    Listening listening;
    auto session = start(std::move(left), listening);
    session->refuse("the disk is full");
    session.reset();
    const auto message = peer.receive();
    ASSERT_TRUE(message.has_value());
    EXPECT_EQ(std::get<wire::Refuse>(*message).reason, "the disk is full");
    EXPECT_TRUE(peer.closed_by_peer());
  }
}

TEST(ControlSession, SendersOfManyThreadsDoNotMixTheirFrames) {
  constexpr int kThreads = 8;
  constexpr std::uint32_t kEach = 300;
  auto [left, right] = connected_pair();
  Listening at_left;
  Listening at_right;
  auto sender = start(std::move(left), at_left, {1ms, 20s});  // heartbeats in between
  auto receiver = start(std::move(right), at_right, {1ms, 20s});
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (std::uint32_t i = 0; i < kEach; ++i) {
        const std::string reason(1 + (t * 131 + i * 7) % 1000, static_cast<char>('a' + t));
        EXPECT_TRUE(
            sender->send(wire::ChannelStatus{i, t, wire::Stage::created, false, reason}).ok());
      }
    });
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(at_right.wait_for_messages(kThreads * kEach));
  std::vector<std::uint32_t> next(kThreads, 0);
  for (const auto& message : at_right.messages()) {
    const auto& status = std::get<wire::ChannelStatus>(message);
    EXPECT_EQ(status.pass, next[status.channel]++) << "in the order of each thread";
    EXPECT_EQ(status.reason.find_first_not_of(static_cast<char>('a' + status.channel)),
              std::string::npos);
  }
}

TEST(ControlSession, PeerThatDoesNotReadMakesSendFailWithinItsBound) {
  auto [left, right] = connected_pair();
  const int small = 4096;
  ::setsockopt(left.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  Listening listening;
  auto session = start(std::move(left), listening, {100ms, 500ms});
  // It talks, so that it is not silent, and never reads.
  std::atomic<bool> done{false};
  std::thread talker([&, socket = right.get()] {
    const auto beat = wire::encode(wire::Heartbeat{});
    while (!done && ::send(socket, beat.data(), beat.size(), MSG_NOSIGNAL | MSG_DONTWAIT) != 0)
      std::this_thread::sleep_for(20ms);
  });
  const wire::Refuse big{std::string(1000, 'x')};
  const wire::ChannelStatus status{0, 0, wire::Stage::created, false, big.reason};
  std::chrono::steady_clock::duration longest{};
  Status sent;
  for (int i = 0; i < 1000000 && sent.ok(); ++i) {
    const auto before = std::chrono::steady_clock::now();
    sent = session->send(status);
    longest = std::max(longest, std::chrono::steady_clock::now() - before);
  }
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code(), Code::timeout);
  EXPECT_THAT(sent.error().message(), HasSubstr("took no message for 500 ms"));
  EXPECT_LT(longest, 5s);
  EXPECT_FALSE(session->send(wire::Barrier{1}).ok()) << "a stream cut in a frame stays cut";
  EXPECT_TRUE(listening.wait_for_loss());
  done = true;
  talker.join();
  const auto before = std::chrono::steady_clock::now();
  session.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
  EXPECT_THAT(listening.losses().front().message(), HasSubstr("took no message"));
}

TEST(ControlSession, HandlersMaySend) {
  auto [left, right] = connected_pair();
  std::atomic<Session*> echo{nullptr};
  auto echoing = Session::start(line_of(std::move(left)), {},
                                {[&](wire::Message message) {
                                   while (echo == nullptr) std::this_thread::yield();
                                   EXPECT_TRUE(echo.load()->send(message).ok());
                                 },
                                 [](const Error&) {}});
  echo = echoing->get();
  Listening listening;
  auto session = start(std::move(right), listening);
  for (std::uint32_t id = 0; id < 50; ++id) ASSERT_TRUE(session->send(wire::Barrier{id}).ok());
  EXPECT_TRUE(listening.wait_for_messages(50));
}

TEST(ControlSession, MayBeDestroyedWhileItsHandlerRuns) {
  for (int i = 0; i < 100; ++i) {
    auto [left, right] = connected_pair();
    std::atomic<int> inside{0};
    auto session = Session::start(line_of(std::move(left)), {},
                                  {[&](const wire::Message&) {
                                     ++inside;
                                     std::this_thread::yield();
                                   },
                                   [&](const Error&) { ++inside; }});
    ASSERT_TRUE(session.ok());
    RawPeer peer(std::move(right));
    for (std::uint32_t id = 0; id < 20; ++id) peer.send(wire::encode(wire::Barrier{id}));
    while (inside == 0) std::this_thread::yield();
    session->reset();
    const int then = inside;
    peer.close();
    EXPECT_EQ(inside, then) << "called after the session was gone";
  }
}

TEST(ControlSession, LeavesNoDescriptorBehind) {
  const int before = test::open_descriptors();
  for (int i = 0; i < 20; ++i) {
    auto [left, right] = connected_pair();
    Listening listening;
    auto session = start(std::move(left), listening);
    ASSERT_TRUE(session->send(wire::Barrier{1}).ok());
  }
  EXPECT_EQ(test::open_descriptors(), before);
}

}  // namespace
}  // namespace hawser
