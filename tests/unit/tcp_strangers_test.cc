// Whoever connects to a data port without being the peer, and whoever answers without being one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <random>

#include "base/log.h"
#include "base/socket.h"
#include "net/tcp/frame.h"
#include "net/tcp/handle.h"
#include "net/tcp/listener.h"
#include "net/tcp/tcp_net.h"
#include "support/guarded_buffer.h"
#include "support/net_pair.h"
#include "support/ports.h"

namespace hawser {
namespace {

using testing::HasSubstr;
using namespace test;

// A listener, raw sockets that connect to it, and what is logged about them.
class TcpStrangers : public testing::Test {
 protected:
  void SetUp() override {
    set_log_level(LogLevel::info);
    set_log_sink([this](LogLevel, std::string_view line) { log_.emplace_back(line); });
    TcpOptions options;
    options.interfaces.names = "=lo";
    options.interfaces.family = FamilyChoice::ipv4;
    net_ = std::move(*make_tcp_net(options));
    listener_ = std::move(*net_->listen(0));
    name_ = *tcp::decode_handle(listener_->handle());
  }
  void TearDown() override {
    set_log_sink({});
    set_log_level(LogLevel::warning);
  }

  UniqueFd knock() { return connect_to_loopback(name_.addresses[0].port); }
  // Of a neighbour's machine. It does not wait until it is let in.
  UniqueFd knock_from(const std::string& address) {
    UniqueFd fd = sockets::open_socket(IpFamily::ipv4);
    EXPECT_EQ(sockets::bind_source(fd.get(), *IpAddress::parse(address)), 0);
    EXPECT_EQ(sockets::start_connect(fd.get(), name_.addresses[0]), 0);
    return fd;
  }
  static void say(const UniqueFd& fd, std::span<const std::byte> bytes) {
    EXPECT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  static void say(const UniqueFd& fd, std::string_view text) {
    say(fd, std::as_bytes(std::span(text)));
  }
  tcp::Greeting hello() { return tcp::encode_greeting(tcp::FrameType::hello, name_.nonce); }

  // Polls the listener until it has logged `lines` lines; it must not accept meanwhile.
  void wait_for_log(std::size_t lines) {
    const Deadline deadline = soon();
    for (Backoff backoff; log_.size() < lines; backoff.idle()) {
      ASSERT_FALSE(deadline.expired()) << log_.size() << " lines";
      const auto comm = listener_->try_accept();
      ASSERT_TRUE(comm.ok());
      ASSERT_EQ(*comm, nullptr);
    }
  }
  // The real peer still gets through.
  void expect_real_peer_is_served() {
    const auto connector = net_->connect(0, listener_->handle());
    ASSERT_TRUE(connector.ok());
    NetPair pair;
    const Deadline deadline = soon();
    for (Backoff backoff; !pair.sender || !pair.receiver; backoff.idle()) {
      ASSERT_FALSE(deadline.expired());
      if (!pair.receiver) pair.receiver = std::move(*listener_->try_accept());
      if (!pair.sender) pair.sender = std::move(*(*connector)->try_connect());
    }
  }
  // Accepts a raw socket that knows the nonce, as a peer gone mad.
  std::unique_ptr<ReceiveComm> accept_raw(const UniqueFd& fd) {
    say(fd, hello());
    auto comm = wait_accepted(*listener_, soon());
    EXPECT_TRUE(comm.ok());
    return comm.ok() ? std::move(*comm) : nullptr;
  }

  std::vector<std::string> log_;
  std::unique_ptr<Net> net_;
  std::unique_ptr<Listener> listener_;
  tcp::ListenerName name_;
};

TEST_F(TcpStrangers, AreDroppedWithOneLineEach) {
  const UniqueFd http = knock();
  say(http, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  wait_for_log(1);
  EXPECT_THAT(log_[0], HasSubstr("not a hawser frame"));
  const UniqueFd short_one = knock();
  say(short_one, "x");
  wait_for_log(2);
  EXPECT_THAT(log_[1], HasSubstr("does not speak"));
  knock();  // and closes
  wait_for_log(3);
  EXPECT_THAT(log_[2], HasSubstr("went before it said who it is"));
  expect_real_peer_is_served();
  EXPECT_EQ(log_.size(), 3u);
}

TEST_F(TcpStrangers, AWrongNonceIsDropped) {
  const UniqueFd guesser = knock();
  tcp::Greeting greeting = hello();
  greeting[tcp::kHeaderBytes] ^= std::byte{1};
  say(guesser, greeting);
  wait_for_log(1);
  EXPECT_THAT(log_[0], HasSubstr("nonce"));
  expect_real_peer_is_served();
}

TEST_F(TcpStrangers, SilentOnesDoNotKeepThePeerOut) {
  std::vector<UniqueFd> silent;
  for (std::size_t i = 0; i < 3 * tcp::FlowListener::kMaxCandidates; ++i) {
    silent.push_back(knock());
    ASSERT_TRUE(silent.back().valid());
  }
  expect_real_peer_is_served();
  for (const std::string& line : log_) EXPECT_THAT(line, HasSubstr("silent while 128 others came"));
  EXPECT_EQ(log_.size(), 1u) << "one line for all of a kind";
}

TEST_F(TcpStrangers, AHelloThatHasComeIsReadBeforeNewcomersTakeItsPlace) {
  const UniqueFd real = knock();
  ASSERT_EQ(*listener_->try_accept(), nullptr);
  say(real, hello());
  std::vector<UniqueFd> silent;
  for (std::size_t i = 0; i < 2 * tcp::FlowListener::kMaxCandidates; ++i) silent.push_back(knock());
  EXPECT_TRUE(wait_accepted(*listener_, soon()).ok());
}

// As many as the kernel's queue takes are in front: whoever lets in but so many in a second, and no
// more, lets the peer wait.
TEST_F(TcpStrangers, AFloodOfConnectionsDoesNotKeepThePeerWaiting) {
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 500; ++i) silent.push_back(knock_from("127.0.0.2"));
  for (int i = 0; i < 20; ++i) ASSERT_EQ(*listener_->try_accept(), nullptr);
  const auto turned_away = std::ranges::count_if(silent, [](const UniqueFd& fd) {
    char byte = 0;
    return ::recv(fd.get(), &byte, 1, MSG_DONTWAIT) == 0;
  });
  EXPECT_GE(turned_away, 500 - static_cast<int>(tcp::FlowListener::kMaxCandidates));
  expect_real_peer_is_served();
  EXPECT_LE(log_.size(), 2u) << "one line for all of a kind";
}

// A flood comes between the peer's connection and its hello, which is under way.
TEST_F(TcpStrangers, NewcomersDoNotPushOutWhoHasJustCome) {
  const UniqueFd real = knock();
  std::vector<UniqueFd> silent;
  for (std::size_t i = 0; i < 2 * tcp::FlowListener::kMaxCandidates; ++i)
    silent.push_back(knock_from("127.0.0.2"));
  ASSERT_EQ(*listener_->try_accept(), nullptr);
  ASSERT_EQ(*listener_->try_accept(), nullptr);
  say(real, hello());
  EXPECT_TRUE(wait_accepted(*listener_, soon()).ok());
}

TEST_F(TcpStrangers, AHelloMayComeByteByByte) {
  const UniqueFd slow = knock();
  for (const std::byte& byte : hello()) {
    ASSERT_EQ(*listener_->try_accept(), nullptr);
    say(slow, std::span(&byte, 1));
  }
  EXPECT_TRUE(wait_accepted(*listener_, soon()).ok());
  EXPECT_TRUE(log_.empty());
}

TEST_F(TcpStrangers, GarbageAfterTheHelloFailsTheChannelOnly) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  GuardedBuffer buffer(4096);
  for (int round = 0; round < 200; ++round) {
    if (round > 0) SetUp();
    const UniqueFd mad = knock();
    const auto comm = accept_raw(mad);
    ASSERT_NE(comm, nullptr);
    // A message header with some bytes changed: any of its checks may find it.
    const std::uint64_t bytes = random() % 8192;
    tcp::HeaderBytes frame = tcp::encode_header({tcp::FrameType::piece, 0, 0, bytes, 0, bytes});
    for (int i = 0; i < 3; ++i) frame[random() % frame.size()] = static_cast<std::byte>(random());
    say(mad, frame);
    const auto registration = comm->register_memory(buffer.range());
    ASSERT_TRUE(registration.ok());
    const auto request = comm->try_receive(buffer.data(), 4096, 0, *registration);
    ASSERT_TRUE(request.ok());
    ::shutdown(mad.get(), SHUT_WR);
    const Deadline deadline = soon();
    for (bool over = false; !over;) {
      ASSERT_FALSE(deadline.expired());
      const auto result = comm->test(*request);
      over = !result.ok() || result->done;
    }
    EXPECT_TRUE(buffer.untouched_outside(0, 0));
    EXPECT_TRUE(comm->deregister(*registration).ok());
  }
}

TEST_F(TcpStrangers, AnAbortNamesItsReasonToTheSender) {
  const UniqueFd server = listen_on_loopback(0);
  ASSERT_TRUE(server.valid());
  tcp::ListenerName raw = name_;
  raw.addresses[0].port = static_cast<std::uint16_t>(bound_port(server));
  const auto connector = net_->connect(0, tcp::encode_handle(raw));
  ASSERT_TRUE(connector.ok());
  ASSERT_TRUE((*connector)->try_connect().ok());
  UniqueFd peer(::accept(server.get(), nullptr, nullptr));
  say(peer, tcp::encode_greeting(tcp::FrameType::welcome, raw.nonce));
  auto sender = wait_connected(**connector, soon());
  ASSERT_TRUE(sender.ok()) << sender.error().message();
  const std::string_view reason = "no room\x1b[2J here";
  say(peer, tcp::encode_header({tcp::FrameType::abort, 0, 0, 0, 0, reason.size()}));
  say(peer, reason);
  GuardedBuffer buffer(16 * 1024 * 1024);
  const auto registration = (*sender)->register_memory(buffer.range());
  const auto request = (*sender)->try_send(buffer.data(), buffer.bytes(), 0, *registration);
  ASSERT_TRUE(request.ok());
  peer.reset();
  const Deadline deadline = soon();
  while ((*sender)->test(*request).ok()) ASSERT_FALSE(deadline.expired());
  EXPECT_THAT((*sender)->test(*request).error().message(),
              HasSubstr("the receiver gave up: no room?[2J here"));
  EXPECT_TRUE((*sender)->deregister(*registration).ok());
}

TEST_F(TcpStrangers, AServerThatIsNoHawserIsAProtocolError) {
  const UniqueFd server = listen_on_loopback(0);
  tcp::ListenerName raw = name_;
  raw.addresses[0].port = static_cast<std::uint16_t>(bound_port(server));
  const auto connector = net_->connect(0, tcp::encode_handle(raw));
  ASSERT_TRUE(connector.ok());
  ASSERT_TRUE((*connector)->try_connect().ok());
  const UniqueFd peer(::accept(server.get(), nullptr, nullptr));
  say(peer, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  const auto comm = wait_connected(**connector, soon());
  ASSERT_FALSE(comm.ok());
  EXPECT_EQ(comm.error().code(), Code::protocol);
  EXPECT_THAT(comm.error().message(), HasSubstr("not a hawser frame"));
}

TEST_F(TcpStrangers, AListenerThatGoesAwayTellsTheConnector) {
  const auto connector = net_->connect(0, listener_->handle());
  ASSERT_TRUE(connector.ok());
  ASSERT_TRUE((*connector)->try_connect().ok());
  listener_.reset();
  const auto comm = wait_connected(**connector, soon());
  ASSERT_FALSE(comm.ok());
  EXPECT_EQ(comm.error().code(), Code::peer);
}

TEST_F(TcpStrangers, AListenerServesOneAccept) {
  const UniqueFd fd = knock();
  ASSERT_NE(accept_raw(fd), nullptr);
  EXPECT_FALSE(listener_->try_accept().ok());
  EXPECT_FALSE(knock().valid()) << "the port is closed";
}

}  // namespace
}  // namespace hawser
