// A client whose server is not there, is somebody else, or says nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <thread>

#include "bootstrap/rendezvous.h"
#include "support/bootstrap_fixture.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using test::good_hello;
using test::RawPeer;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr auto kLong = 20s;

Result<Rendezvous> call(int port, std::chrono::milliseconds timeout) {
  return rendezvous_connect("127.0.0.1", port, 0, good_hello(), Deadline::after(timeout));
}

// Somebody who listens, and does as told with each connection. Accepts until it is destroyed.
class SomebodyElse {
 public:
  using Act = std::function<void(RawPeer&)>;
  explicit SomebodyElse(Act act)
      : socket_(test::listen_on_loopback(0)),
        port_(test::bound_port(socket_)),
        thread_([this, act = std::move(act)] { serve(act); }) {}
  ~SomebodyElse() {
    ::shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
  }
  int port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void serve(const Act& act) {
    while (true) {
      RawPeer peer(UniqueFd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
      if (peer.fd() < 0) return;
      ++connections_;
      act(peer);
    }
  }

  UniqueFd socket_;
  int port_;
  std::atomic<int> connections_{0};
  std::thread thread_;
};

void expect_timeout(int port, std::chrono::milliseconds timeout, const std::string& cause) {
  const auto before = std::chrono::steady_clock::now();
  const auto client = call(port, timeout);
  const auto took = std::chrono::steady_clock::now() - before;
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.error().code(), Code::timeout);
  EXPECT_THAT(
      client.error().message(),
      AllOf(HasSubstr(fmt::format("no hawser server answered at 127.0.0.1:{} within {} s", port,
                                  std::chrono::duration<double>(timeout).count())),
            HasSubstr(cause), HasSubstr("Is the server started"), HasSubstr("--port-base")));
  EXPECT_GE(took, timeout);
  EXPECT_LT(took, timeout + 5s);
}

TEST(ClientAlone, ClosedPortEndsAtTheDeadline) {
  test::PortRange ports;
  expect_timeout(ports.base(), 700ms, "Connection refused");
}

// Its machine may just be starting, and its name be known soon.
TEST(ClientAlone, NameThatNobodyKnowsEndsAtTheDeadline) {
  const auto before = std::chrono::steady_clock::now();
  const auto client = rendezvous_connect("no-such-host.invalid", 20000, 0, good_hello(),
                                         Deadline::after(700ms));
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.error().code(), Code::timeout);
  EXPECT_THAT(client.error().message(),
              HasSubstr("last: cannot find the address 'no-such-host.invalid'"));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 700ms);
}

TEST(ClientAlone, UnacceptedConnectionEndsAtTheDeadline) {
  const UniqueFd deaf = test::listen_on_loopback(0);
  expect_timeout(test::bound_port(deaf), 500ms, "took the connection but did not answer");
}

TEST(ClientAlone, FullBacklogEndsAtTheDeadline) {
  const UniqueFd full = test::listen_on_loopback(0);
  ASSERT_EQ(::listen(full.get(), 0), 0);  // room for one
  std::vector<UniqueFd> fillers;          // more than fit: the last ones get no answer
  for (int i = 0; i < 4; ++i) {
    sockaddr_storage address{};
    socklen_t bytes = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    ::getsockname(full.get(), generic, &bytes);
    fillers.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::connect(fillers.back().get(), generic, bytes);
  }
  expect_timeout(test::bound_port(full), 500ms, "Connection timed out");
}

TEST(ClientAlone, ServerThatClosesBeforeItAnswersIsTriedAgain) {
  SomebodyElse closing([](RawPeer& peer) { peer.receive(); });
  expect_timeout(closing.port(), 1s, "closed the connection instead of answering");
  EXPECT_GE(closing.connections(), 3);
}

TEST(ClientAlone, ServerThatResetsIsTriedAgain) {
  SomebodyElse resetting([](RawPeer& peer) {
    peer.receive();
    peer.reset();
  });
  expect_timeout(resetting.port(), 500ms, "was reset");
  EXPECT_GE(resetting.connections(), 2);
}

TEST(ClientAlone, MeetsTheServerBehindAForwarderThatWasThereFirst) {
  std::atomic<int> connections{0};
  SomebodyElse forwarder([&](RawPeer& peer) {
    if (++connections < 3) return;  // what is behind is not there yet
    peer.receive();
    peer.send(wire::encode(test::good_plan()));
  });
  EXPECT_TRUE(call(forwarder.port(), kLong).ok());
}

TEST(ClientAlone, LeavesNoDescriptorBehind) {
  const int before = test::open_descriptors();
  {
    test::PortRange ports;
    EXPECT_FALSE(call(ports.base(), 300ms).ok());
  }
  EXPECT_EQ(test::open_descriptors(), before);
}

// The error after `act`, which must come at once and not after further attempts.
Error final_error(const std::function<void(RawPeer&)>& act) {
  SomebodyElse other([&](RawPeer& peer) {
    act(peer);
    peer.closed_by_peer();
  });
  const auto client = call(other.port(), kLong);
  EXPECT_FALSE(client.ok());
  EXPECT_EQ(other.connections(), 1);
  return client.ok() ? Error(Code::internal, "") : client.error();
}

TEST(ClientMeets, AnHttpServer) {
  const Error error =
      final_error([](RawPeer& peer) { peer.send("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  EXPECT_EQ(error.code(), Code::protocol);
  EXPECT_THAT(error.message(), HasSubstr("is no hawser server of this version: an HTTP server's "
                                         "answer, not hawser"));
}

TEST(ClientMeets, AnSshServer) {
  const Error error = final_error([](RawPeer& peer) { peer.send("SSH-2.0-OpenSSH_9.2p1\r\n"); });
  EXPECT_EQ(error.code(), Code::protocol);
  EXPECT_THAT(error.message(), HasSubstr("SSH, not hawser"));
}

TEST(ClientMeets, AServerOfAnotherVersion) {
  const Error error = final_error([](RawPeer& peer) {
    auto refuse = wire::encode(wire::Refuse{"protocol version 1, this side speaks 2"});
    refuse[4] = std::byte{2};
    peer.send(refuse);
  });
  EXPECT_EQ(error.code(), Code::peer);
  EXPECT_THAT(error.message(), HasSubstr("refused: protocol version 1, this side speaks 2"));
}

TEST(ClientMeets, AServerThatRefuses) {
  const Error error =
      final_error([](RawPeer& peer) { peer.send(wire::encode(wire::Refuse{"no"})); });
  EXPECT_EQ(error.code(), Code::peer);
  EXPECT_THAT(error.message(), HasSubstr("refused: no"));
}

TEST(ClientMeets, AServerThatAnswersWithSomethingElse) {
  const Error error = final_error([](RawPeer& peer) { peer.send(wire::encode(wire::Barrier{1})); });
  EXPECT_EQ(error.code(), Code::protocol);
  EXPECT_THAT(error.message(), HasSubstr("answered a Hello with a Barrier"));
}

TEST(ClientMeets, AServerWhosePlanIsWrong) {
  const Error error = final_error([](RawPeer& peer) {
    auto plan = test::good_plan();
    plan.channels = 0;
    peer.send(wire::encode(plan));
  });
  EXPECT_EQ(error.code(), Code::protocol);
  EXPECT_THAT(error.message(), HasSubstr("a Plan with channels = 0"));
}

TEST(ClientMeets, APlanByteByByte) {
  SomebodyElse slow([](RawPeer& peer) {
    peer.receive();
    const auto plan = wire::encode(test::good_plan());
    for (std::size_t i = 0; i < plan.size(); ++i) peer.send(std::span(plan).subspan(i, 1));
  });
  const auto client = call(slow.port(), kLong);
  ASSERT_TRUE(client.ok()) << client.error().message();
  EXPECT_EQ(client->plan.seed, test::good_plan().seed);
}

}  // namespace
}  // namespace hawser
