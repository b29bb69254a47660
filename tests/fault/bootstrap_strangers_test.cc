// Whoever else knocks at a rendezvous server: refused with one line, and the real client still
// served.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "base/endian.h"
#include "bootstrap/rendezvous.h"
#include "support/bootstrap_fixture.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using test::Accepting;
using test::agree;
using test::CapturedLog;
using test::good_hello;
using test::good_plan;
using test::RawPeer;
using ::testing::HasSubstr;

constexpr auto kVeryLong = 60s;

// A server that waits, and the log of what it says.
class StrangersAtTheDoor : public ::testing::Test {
 protected:
  RawPeer knock(int channel = 0) {
    return RawPeer::connect("127.0.0.1", listening_.port_base + channel);
  }
  // One line about a stranger, and no other.
  void expect_refused(const std::string& why) {
    EXPECT_TRUE(log_.wait_for(why, kVeryLong)) << why;
    EXPECT_EQ(log_.lines().size(), 1u);
    EXPECT_EQ(log_.count("refused 127.0.0.1:"), 1);
  }
  void expect_still_serving() {
    auto client = rendezvous_connect("127.0.0.1", listening_.port_base, 0, good_hello(),
                                     Deadline::after(kVeryLong));
    EXPECT_TRUE(client.ok()) << client.error().message();
    auto& server = accepting_.result();
    EXPECT_TRUE(server.ok()) << server.error().message();
  }

  CapturedLog log_;
  test::ListeningServer listening_ = test::listen_somewhere("127.0.0.1", 0, 4);
  Accepting accepting_{*listening_.server, agree, kVeryLong};
};

TEST_F(StrangersAtTheDoor, HttpRequest) {
  auto peer = knock();
  peer.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(peer.closed_by_peer());
  expect_refused("an HTTP request, not hawser");
  expect_still_serving();
}

TEST_F(StrangersAtTheDoor, Garbage) {
  auto peer = knock();
  peer.send("\x01\x02rubbish\x1b[2J");
  EXPECT_TRUE(peer.closed_by_peer());
  expect_refused("not hawser: '??rubbish?[2J'");
  expect_still_serving();
}

TEST_F(StrangersAtTheDoor, OtherVersionIsToldSo) {
  auto peer = knock();
  auto frame = wire::encode(good_hello());
  store_le(frame.data() + 4, std::uint16_t{9});
  peer.send(frame);
  const auto answer = peer.receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(std::get<wire::Refuse>(*answer).reason, "protocol version 9, this side speaks 2");
  expect_refused("protocol version 9, this side speaks 2");
  expect_still_serving();
}

TEST_F(StrangersAtTheDoor, HelloWithAWrongFieldIsToldSo) {
  auto peer = knock();
  auto hello = good_hello();
  hello.memory = 7;
  peer.send(wire::encode(hello));
  const auto answer = peer.receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(std::get<wire::Refuse>(*answer).reason, "a Hello with memory = 7, want 1 to 2");
  expect_refused("a Hello with memory = 7");
  expect_still_serving();
}

TEST_F(StrangersAtTheDoor, AnotherMessageThanHello) {
  auto peer = knock();
  peer.send(wire::encode(good_plan()));
  EXPECT_TRUE(peer.receive().has_value());
  expect_refused("a Plan where a Hello belongs");
  expect_still_serving();
}

TEST_F(StrangersAtTheDoor, PortScanner) {
  knock().close();
  expect_refused("closed without a word");
  expect_still_serving();
}

TEST_F(StrangersAtTheDoor, EarlyClose) {
  auto peer = knock();
  const auto hello = wire::encode(good_hello());
  peer.send(std::span(hello).first(7));
  peer.close();
  expect_refused("closed after 7 bytes, before its Hello was whole");
  expect_still_serving();
}

TEST_F(StrangersAtTheDoor, Reset) {
  auto peer = knock();
  const auto hello = wire::encode(good_hello());
  peer.send(std::span(hello).first(20));
  peer.reset();
  expect_refused("was reset");
  expect_still_serving();
}

TEST_F(StrangersAtTheDoor, SilentOneIsGivenUp) {
  auto silent = knock();
  auto slow = knock();
  const auto hello = wire::encode(good_hello());
  slow.send(std::span(hello).first(5));
  EXPECT_TRUE(log_.wait_for("said nothing for 5 s", kVeryLong));
  EXPECT_TRUE(log_.wait_for("sent 5 bytes in 5 s and no whole Hello", kVeryLong));
  EXPECT_TRUE(silent.closed_by_peer());
  EXPECT_TRUE(slow.closed_by_peer());
  EXPECT_EQ(log_.lines().size(), 2u);
  expect_still_serving();
}

TEST_F(StrangersAtTheDoor, ClientAtAnotherChannelsPortIsSentToTheRightOne) {
  auto client = rendezvous_connect("127.0.0.1", listening_.port_base + 2, 0, good_hello(),
                                   Deadline::after(kVeryLong));
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.error().code(), Code::peer);
  EXPECT_THAT(client.error().message(),
              HasSubstr(fmt::format("held for channel 2; the control connection belongs on {}",
                                    listening_.server->address())));
  expect_refused("held for channel 2");
  expect_still_serving();
}

TEST_F(StrangersAtTheDoor, HundredsOfSilentConnectionsDoNotKeepTheClientOut) {
  std::vector<RawPeer> silent;
  for (int i = 0; i < 300; ++i) silent.push_back(knock(i % 4));
  EXPECT_TRUE(log_.wait_for("gave way to a newer connection", kVeryLong));
  expect_still_serving();
  for (auto& peer : silent) EXPECT_TRUE(peer.closed_by_peer());
  EXPECT_LE(log_.count("gave way to a newer connection"), 2) << "one, and how many more";
}

TEST_F(StrangersAtTheDoor, ClientThatSpeaksByteByByteIsServedAmongThem) {
  std::vector<RawPeer> silent;
  auto slow = knock();
  const auto hello = wire::encode(good_hello());
  for (std::size_t i = 0; i < hello.size(); ++i) {
    ASSERT_TRUE(slow.send(std::span(hello).subspan(i, 1)));
    for (int more = 0; more < 3; ++more) silent.push_back(knock());
  }
  const auto answer = slow.receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(std::holds_alternative<wire::Plan>(*answer));
  EXPECT_TRUE(accepting_.result().ok());
}

TEST_F(StrangersAtTheDoor, EndlessTalkerIsCutOff) {
  auto talker = knock();
  const auto frame = wire::encode(wire::Refuse{std::string(1024, 'x')});
  while (talker.send(frame)) {
  }
  expect_refused("a Refuse where a Hello belongs");
  expect_still_serving();
}

// Holds a server inside its decision about the first client until it is let go. Thread-safe.
class Indecision {
 public:
  Result<wire::Plan> decide(const wire::Hello&) {
    std::unique_lock lock(mutex_);
    deciding_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return free_; });
    return good_plan();
  }
  bool wait_until_deciding() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kVeryLong, [&] { return deciding_; });
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    free_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool deciding_ = false;
  bool free_ = false;
};

TEST(TwoClients, TheSecondIsToldThatAnotherIsServed) {
  CapturedLog log;
  auto listening = test::listen_somewhere();
  Indecision indecision;
  Accepting accepting(
      *listening.server, [&](const wire::Hello& hello) { return indecision.decide(hello); },
      kVeryLong);
  auto first = RawPeer::connect("127.0.0.1", listening.port_base);
  first.send(wire::encode(good_hello()));
  ASSERT_TRUE(indecision.wait_until_deciding());
  // The kernel has connected it before the server goes on.
  auto second = RawPeer::connect("127.0.0.1", listening.port_base);
  second.send(wire::encode(good_hello()));
  indecision.let_go();

  EXPECT_TRUE(std::holds_alternative<wire::Plan>(*first.receive()));
  const auto answer = second.receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(std::get<wire::Refuse>(*answer).reason, "another client is being served");
  EXPECT_TRUE(accepting.result().ok());
  EXPECT_EQ(log.count("another client is being served"), 1);
}

TEST(TwoClients, OneThatGaveUpBeforeItWasHeardIsNotServed) {
  CapturedLog log;
  auto listening = test::listen_somewhere();
  auto gone = RawPeer::connect("127.0.0.1", listening.port_base);
  gone.send(wire::encode(good_hello()));
  gone.close();  // all of it lies in the backlog before the server looks
  Accepting accepting(*listening.server, agree, kVeryLong);
  auto client = rendezvous_connect("127.0.0.1", listening.port_base, 0, good_hello(),
                                   Deadline::after(kVeryLong));
  EXPECT_TRUE(client.ok());
  EXPECT_TRUE(accepting.result().ok());
  EXPECT_EQ(log.count("gave up before it was answered"), 1);
}

TEST(TwoClients, ExactlyOneOfManyAtOnceIsServed) {
  for (int round = 0; round < 5; ++round) {
    CapturedLog log;
    auto listening = test::listen_somewhere();
    Accepting accepting(*listening.server, agree, kVeryLong);
    std::atomic<int> served{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i)
      clients.emplace_back([&] {
        auto client = rendezvous_connect("127.0.0.1", listening.port_base, 0, good_hello(),
                                         Deadline::after(300ms));
        served += client.ok() ? 1 : 0;
      });
    EXPECT_TRUE(accepting.result().ok());
    for (auto& client : clients) client.join();
    EXPECT_EQ(served, 1);
  }
}

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// Takes every descriptor this process may still have, until it goes.
class NoDescriptorsLeft {
 public:
  explicit NoDescriptorsLeft(int any) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = 256;
    ::setrlimit(RLIMIT_NOFILE, &few);
    for (UniqueFd fd(::dup(any)); fd.valid(); fd = UniqueFd(::dup(any)))
      hoard_.push_back(std::move(fd));
  }
  ~NoDescriptorsLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
  std::vector<UniqueFd> hoard_;
};

TEST(WithoutDescriptors, ServerPausesAndComesBack) {
  CapturedLog log;
  auto listening = test::listen_somewhere();
  auto waiting = RawPeer::connect("127.0.0.1", listening.port_base);  // in the backlog
  waiting.send(wire::encode(good_hello()));
  std::optional<NoDescriptorsLeft> hoard(std::in_place, waiting.fd());
  Accepting accepting(*listening.server, agree, kVeryLong);
  EXPECT_TRUE(log.wait_for("cannot accept a connection: Too many open files", kVeryLong));

  const double before = cpu_seconds();
  std::this_thread::sleep_for(500ms);  // the time in which it must not spin
  EXPECT_LT(cpu_seconds() - before, 0.25);

  hoard.reset();
  const auto answer = waiting.receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(std::holds_alternative<wire::Plan>(*answer));
  EXPECT_TRUE(accepting.result().ok());
  EXPECT_EQ(log.count("Too many open files"), 1) << "once, not every 100 ms";
}

}  // namespace
}  // namespace hawser
