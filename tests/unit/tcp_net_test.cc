// What the built-in transport does beyond what every Net does: tests/conformance has the rest.
#include "net/tcp/tcp_net.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>
#include <cstring>
#include <random>

#include "base/log.h"
#include "net/tcp/connector.h"
#include "net/tcp/frame.h"
#include "net/tcp/handle.h"
#include "net/tcp/listener.h"
#include "net/tcp/send_comm.h"
#include "support/guarded_buffer.h"
#include "support/net_flow.h"
#include "support/net_pair.h"
#include "support/ports.h"

namespace hawser {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using namespace test;

std::unique_ptr<Net> loopback_net_of(FamilyChoice family = FamilyChoice::ipv4) {
  TcpOptions options;
  options.interfaces.names = "=lo";
  options.interfaces.family = family;
  auto net = make_tcp_net(options);
  EXPECT_TRUE(net.ok()) << net.error().message();
  return net.ok() ? std::move(*net) : nullptr;
}

// Tests a request until it fails; the error, or one that says that it never did.
template <class Comm>
Error error_of(Comm& comm, Request* request) {
  const Deadline deadline = soon();
  for (Backoff backoff; !deadline.expired(); backoff.idle()) {
    const auto result = comm.test(request);
    if (!result.ok()) return result.error();
    if (result->done) return Error(Code::internal, "it was done");
  }
  return Error(Code::timeout, "it did not fail");
}

// A pair on loopback with a registered buffer a side; collects what is logged.
class TcpNetTest : public testing::Test {
 protected:
  TcpNetTest() : from_(kBytes), to_(kBytes) {
    set_log_sink([this](LogLevel, std::string_view line) { log_.emplace_back(line); });
    net_ = loopback_net_of();
  }
  ~TcpNetTest() override { set_log_sink({}); }

  void connect() {
    auto pair = connect_pair(*net_, 0, soon());
    ASSERT_TRUE(pair.ok()) << pair.error().message();
    sender_ = std::move(pair->sender);
    receiver_ = std::move(pair->receiver);
    source_ = *sender_->register_memory(from_.range());
    sink_ = *receiver_->register_memory(to_.range());
  }
  void TearDown() override {
    EXPECT_TRUE(!sender_ || sender_->deregister(source_).ok());
    EXPECT_TRUE(!receiver_ || receiver_->deregister(sink_).ok());
    sender_.reset();
    receiver_.reset();
    net_.reset();  // while what it logs is still collected
  }

  Request* send(std::size_t bytes) { return *sender_->try_send(from_.data(), bytes, 7, source_); }
  Request* receive(std::size_t bytes) {
    return *receiver_->try_receive(to_.data(), bytes, 7, sink_);
  }

  static constexpr std::size_t kBytes = 16 * 1024 * 1024;
  std::vector<std::string> log_;
  std::unique_ptr<Net> net_;
  GuardedBuffer from_, to_;
  std::unique_ptr<SendComm> sender_;
  std::unique_ptr<ReceiveComm> receiver_;
  Registration* source_ = nullptr;
  Registration* sink_ = nullptr;
};

TEST_F(TcpNetTest, SaysWhatItIs) {
  EXPECT_EQ(net_->name(), "hawser TCP");
  EXPECT_EQ(net_->description(), "hawser TCP (built in)");
  const NetDevice& device = net_->devices().front();
  EXPECT_EQ(device.name, "lo");
  EXPECT_EQ(device.address, "127.0.0.1");
  EXPECT_EQ(device.pci_path, "");
  EXPECT_EQ(device.devmem, Devmem::none);
  EXPECT_FALSE(device.capabilities.cuda_pointers);
  EXPECT_EQ(device.capabilities.max_requests, 32);
}

TEST_F(TcpNetTest, ASendLongerThanItsReceiveFailsBothSidesAndTouchesNothing) {
  connect();
  Request* const received = receive(4096);
  Request* const sent = send(kBytes);  // more than the sockets hold: it is still under way
  const Error here = error_of(*receiver_, received);
  EXPECT_EQ(here.code(), Code::protocol);
  EXPECT_THAT(here.message(), AllOf(HasSubstr("(tag 7) has 16777216 bytes"), HasSubstr("only 4096"),
                                    HasSubstr("127.0.0.1")));
  const Error there = error_of(*sender_, sent);
  EXPECT_EQ(there.code(), Code::peer);
  EXPECT_THAT(there.message(), HasSubstr("16777216 bytes sent"));
  EXPECT_TRUE(to_.untouched_outside(0, 0));
  // From now on, nothing is taken.
  EXPECT_FALSE(receiver_->try_receive(to_.data(), 1, 0, sink_).ok());
  EXPECT_FALSE(sender_->try_send(from_.data(), 1, 0, source_).ok());
}

TEST_F(TcpNetTest, ABytesTooManyIsTooMany) {
  connect();
  Request* const received = receive(100);
  send(101);
  EXPECT_EQ(error_of(*receiver_, received).code(), Code::protocol);
  EXPECT_TRUE(to_.untouched_outside(0, 0));
}

TEST_F(TcpNetTest, OneRequestMoreThanTheWindowIsAnError) {
  connect();
  std::vector<Request*> sends, receives;
  for (std::size_t i = 0; i < tcp::kMaxRequests; ++i) {
    sends.push_back(send(10));
    receives.push_back(receive(10));
  }
  const auto send_33 = sender_->try_send(from_.data(), 10, 0, source_);
  ASSERT_FALSE(send_33.ok());
  EXPECT_EQ(send_33.error().code(), Code::internal);
  EXPECT_THAT(send_33.error().message(), HasSubstr("window exceeded: 32 sends"));
  const auto receive_33 = receiver_->try_receive(to_.data(), 10, 0, sink_);
  ASSERT_FALSE(receive_33.ok());
  EXPECT_THAT(receive_33.error().message(), HasSubstr("window exceeded: 32 receives"));
  // The comm is as good as before.
  for (std::size_t i = 0; i < tcp::kMaxRequests; ++i) {
    const Deadline deadline = soon();
    while (!sender_->test(sends[i])->done) ASSERT_FALSE(deadline.expired());
    while (!receiver_->test(receives[i])->done) ASSERT_FALSE(deadline.expired());
  }
}

TEST_F(TcpNetTest, PostsOutsideTheRegistrationAreRefused) {
  connect();
  EXPECT_EQ(sender_->try_send(from_.data() + 1, kBytes, 0, source_).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(receiver_->try_receive(to_.data() + kBytes, 1, 0, sink_).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(sender_->try_send(from_.data(), 1, 0, nullptr).error().code(), Code::invalid_argument);
}

TEST_F(TcpNetTest, ARequestIsTestedTillDoneAndNotAfter) {
  connect();
  Request* const sent = send(10);
  const Deadline deadline = soon();
  while (!sender_->test(sent)->done) ASSERT_FALSE(deadline.expired());
  EXPECT_EQ(sender_->test(sent).error().code(), Code::invalid_argument);
  EXPECT_EQ(sender_->test(nullptr).error().code(), Code::invalid_argument);
}

TEST_F(TcpNetTest, WhatWasSentBeforeTheSenderWentStillArrives) {
  connect();
  fill_pattern(from_.span(0, 1000), 1);
  Request* const sent = send(1000);
  const Deadline deadline = soon();
  while (!sender_->test(sent)->done) ASSERT_FALSE(deadline.expired());
  ASSERT_TRUE(sender_->deregister(source_).ok());
  sender_.reset();
  Request* const first = receive(1000);
  Request* const second = receive(1000);
  const Error end = error_of(*receiver_, second);
  EXPECT_EQ(end.code(), Code::peer);
  EXPECT_THAT(end.message(), AllOf(HasSubstr("no byte of this message came"), HasSubstr("closed"),
                                   HasSubstr("lo, 127.0.0.1:")));
  const auto result = receiver_->test(first);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->done);
  EXPECT_EQ(result->bytes, 1000u);
  EXPECT_EQ(pattern_mismatch(to_.span(0, 1000), 1), "");
}

TEST_F(TcpNetTest, AReceiverThatGoesIsAnErrorOfEveryPendingSend) {
  connect();
  Request* const first = send(kBytes);
  Request* const second = send(100);
  ASSERT_TRUE(receiver_->deregister(sink_).ok());
  receiver_.reset();
  for (Request* request : {second, first}) {
    const Error error = error_of(*sender_, request);
    EXPECT_EQ(error.code(), Code::peer);
    EXPECT_THAT(error.message(), AllOf(HasSubstr("bytes sent"), HasSubstr("127.0.0.1:")));
  }
}

TEST_F(TcpNetTest, ClosingWithRequestsInFlightIsLogged) {
  connect();
  receive(100);
  ASSERT_TRUE(receiver_->deregister(sink_).ok());
  const LogLevel usual = log_level();
  set_log_level(LogLevel::info);  // whoever always has a receive posted closes so, too
  receiver_.reset();
  set_log_level(usual);
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_THAT(log_[0],
              AllOf(HasSubstr("closing lo, 127.0.0.1:"), HasSubstr("1 receives in flight")));
}

TEST_F(TcpNetTest, RegistrationsLeftBehindAreLogged) {
  connect();
  sender_.reset();
  receiver_.reset();
  net_.reset();
  ASSERT_EQ(log_.size(), 1u);
  EXPECT_THAT(log_[0], HasSubstr("2 registrations alive"));
}

TEST_F(TcpNetTest, ARefusedConnectionSaysWhichAddress) {
  Handle handle;
  {
    const auto listener = net_->listen(0);
    ASSERT_TRUE(listener.ok());
    handle = (*listener)->handle();
  }
  auto connector = net_->connect(0, handle);
  Error error(Code::internal, "");
  if (connector.ok()) {
    const auto comm = wait_connected(**connector, soon());
    ASSERT_FALSE(comm.ok());
    error = comm.error();
  } else {
    error = connector.error();
  }
  const auto name = tcp::decode_handle(handle);
  EXPECT_EQ(error.code(), Code::peer);
  EXPECT_THAT(error.message(), AllOf(HasSubstr(name->addresses[0].text()), HasSubstr("refused")));
}

TEST_F(TcpNetTest, AnotherFamilyIsAClearError) {
  const auto ipv6 = make_tcp_net([] {
    TcpOptions options;
    options.interfaces.names = "=lo";
    options.interfaces.family = FamilyChoice::ipv6;
    return options;
  }());
  if (!ipv6.ok()) GTEST_SKIP() << ipv6.error().message();
  const auto listener = (*ipv6)->listen(0);
  ASSERT_TRUE(listener.ok());
  const auto connector = net_->connect(0, (*listener)->handle());
  ASSERT_FALSE(connector.ok());
  EXPECT_EQ(connector.error().code(), Code::invalid_argument);
  EXPECT_THAT(connector.error().message(),
              AllOf(HasSubstr("lo, 127.0.0.1 to [::1]:"),
                    HasSubstr("an IPv4 address here and an IPv6 one there")));
}

TEST_F(TcpNetTest, AForeignHandleIsRefused) {
  EXPECT_EQ(net_->connect(0, Handle{}).error().code(), Code::protocol);
}

TEST_F(TcpNetTest, SocketBuffersAreAsAskedFor) {
  setenv("HAWSER_SOCKET_BUFFER_BYTES", "12345678", 1);
  const auto options = TcpOptions::from_environment();
  unsetenv("HAWSER_SOCKET_BUFFER_BYTES");
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->socket_buffer_bytes, 12345678);
  const auto socket = tcp::open_data_socket(IpFamily::ipv4, {65536, ""});
  ASSERT_TRUE(socket.ok());
  int bytes = 0;
  socklen_t length = sizeof bytes;
  ASSERT_EQ(getsockopt(socket->get(), SOL_SOCKET, SO_RCVBUF, &bytes, &length), 0);
  EXPECT_EQ(bytes, 2 * 65536);  // Linux doubles it for its own bookkeeping
}

}  // namespace
}  // namespace hawser
