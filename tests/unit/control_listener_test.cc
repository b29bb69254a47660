// Who comes to a port of the control plane, and a line whose peer goes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/socket.h"
#include "bootstrap/wire.h"
#include "control/listener.h"
#include "support/bootstrap_fixture.h"
#include "support/file_limit.h"

namespace hawser::control {
namespace {

using test::CapturedLog;
using test::connected_pair;
using test::RawPeer;

// A listener on a port of its own, polled by the test. It takes every Hello, and says so.
class ControlListener : public ::testing::Test {
 protected:
  ControlListener() {
    std::vector<Listener::Port> ports;
    ports.push_back({test::listen_on_loopback(0), 7});
    port_ = test::bound_port(ports.front().socket);
    ::fcntl(ports.front().socket.get(), F_SETFL, O_NONBLOCK);
    listener_ = std::make_unique<Listener>(std::move(ports), hawser::wire::protocol(),
                                           Listener::Options{"a test", LogLevel::info});
  }

  RawPeer caller() const { return RawPeer::connect("127.0.0.1", port_); }

  void poll() {
    listener_->poll([this](std::unique_ptr<Line>& line, std::span<const std::byte> frame,
                           int port) -> Status {
      EXPECT_EQ(port, 7);
      EXPECT_GE(frame.size(), hawser::wire::kHeaderBytes);
      if (!take_) return Error(Code::peer, "not now");
      taken_.push_back(std::move(line));
      return {};
    });
  }
  template <class Done>
  bool poll_until(Done done) {
    const Deadline deadline = Deadline::after(Milliseconds(20'000));
    while (!done()) {
      if (deadline.expired()) return false;
      std::vector<pollfd> waiting;
      listener_->interests(waiting);
      ::poll(waiting.data(), waiting.size(), listener_->timeout_ms(20));
      poll();
    }
    return true;
  }

  int port_ = 0;
  bool take_ = true;
  std::unique_ptr<Listener> listener_;
  std::vector<std::unique_ptr<Line>> taken_;
};

TEST_F(ControlListener, TakesAHelloHoweverItComes) {
  RawPeer silent = caller();
  RawPeer slow = caller();
  const auto hello = hawser::wire::encode(test::good_hello());
  for (const std::byte& byte : hello) {
    ASSERT_TRUE(slow.send(std::span(&byte, 1)));
    poll();
  }
  EXPECT_TRUE(poll_until([&] { return taken_.size() == 1; }));
  EXPECT_EQ(listener_->refused(), 0u);
}

TEST_F(ControlListener, RefusesWithTheReasonOfTheDecision) {
  take_ = false;
  RawPeer unwanted = caller();
  ASSERT_TRUE(unwanted.send(hawser::wire::encode(test::good_hello())));
  EXPECT_TRUE(poll_until([&] { return listener_->refused() == 1; }));
  const auto answer = unwanted.receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(std::get<hawser::wire::Refuse>(*answer).reason, "not now");
  EXPECT_TRUE(unwanted.closed_by_peer());
}

TEST_F(ControlListener, SendsStrangersAwayWithoutAnAnswer) {
  RawPeer stranger = caller();
  ASSERT_TRUE(stranger.send("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_TRUE(poll_until([&] { return listener_->refused() == 1; }));
  EXPECT_FALSE(stranger.receive().has_value());
}

TEST_F(ControlListener, ManySilentCallersKeepNobodyOut) {
  std::vector<RawPeer> silent;
  for (std::size_t i = 0; i < 2 * Listener::kMaxCallers; ++i) {
    silent.push_back(caller());
    poll();
  }
  RawPeer real = caller();
  ASSERT_TRUE(real.send(hawser::wire::encode(test::good_hello())));
  EXPECT_TRUE(poll_until([&] { return taken_.size() == 1; }));
  EXPECT_GE(listener_->refused(), Listener::kMaxCallers);
}

TEST_F(ControlListener, ClosesWithAReason) {
  RawPeer waiting = caller();
  listener_->close("the port moves");
  const auto answer = waiting.receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(std::get<hawser::wire::Refuse>(*answer).reason, "the port moves");
  EXPECT_FALSE(listener_->open());
  EXPECT_LT(caller().fd(), 0);
}

TEST_F(ControlListener, PausesWithoutDescriptors) {
  const CapturedLog log;
  RawPeer waiting_one = caller();
  {
    const test::NoMoreFiles limit;
    poll();
    poll();
    EXPECT_EQ(log.count("cannot accept a connection"), 1);
    EXPECT_GT(listener_->timeout_ms(1000), 0);
    std::vector<pollfd> waiting;
    listener_->interests(waiting);
    EXPECT_TRUE(waiting.empty()) << "the port would call at once";
  }
  RawPeer real = caller();
  ASSERT_TRUE(real.send(hawser::wire::encode(test::good_hello())));
  EXPECT_TRUE(poll_until([&] { return taken_.size() == 1; }));
}

// ---- lines ----

// As the loop of a session or a reactor does; how often it was woken.
int polls_until_nothing_waits(Line& line) {
  for (int polls = 0; polls < 100; ++polls) {
    if (!line.wants_to_write()) return polls;
    pollfd waiting{line.fd(), POLLOUT, 0};
    if (::poll(&waiting, 1, 20'000) > 0) line.flush();
  }
  return 100;
}

std::unique_ptr<Line> full_line(UniqueFd socket) {
  auto line = test::line_of(std::move(socket));
  const std::vector<std::byte> much(256 * 1024);
  while (!line->wants_to_write()) line->send(much);
  return line;
}

TEST(ControlLine, UnsentBytesAreForgottenWhenThePeerIsGone) {
  auto [here, there] = connected_pair();
  const auto line = full_line(std::move(here));
  there.reset();
  EXPECT_LT(polls_until_nothing_waits(*line), 5);
  EXPECT_TRUE(line->broken());
  const std::vector<std::byte> more(16);
  EXPECT_FALSE(line->send(more));
  EXPECT_FALSE(line->wants_to_write()) << "a loop that polls for room would spin";
}

TEST(ControlLine, UnsentBytesAreForgottenWhenItIsShut) {
  auto [here, there] = connected_pair();
  const auto line = full_line(std::move(here));
  line->shut();
  EXPECT_LT(polls_until_nothing_waits(*line), 5);
  EXPECT_TRUE(line->broken());
}

}  // namespace
}  // namespace hawser::control
