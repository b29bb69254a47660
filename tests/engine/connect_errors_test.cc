// Links that do not come about, and strangers on a link's port. Over own TCP: they never get as far
// as the transport.
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <future>
#include <string_view>

#include "engine/fixture.h"
#include "support/built.h"
#include "support/engine_frames.h"
#include "support/ports.h"

namespace hawser::test {
namespace {

class ConnectErrors : public testing::Test {
 protected:
  void SetUp() override {
    set_environment(plain_variant());
    client_ = made();
    server_ = made();
    ASSERT_TRUE(client_ && server_);
  }
  static std::shared_ptr<Engine> made() {
    auto engine = make_engine(plain_variant(), Role::client);
    EXPECT_OK(engine);
    return engine.ok() ? *engine : nullptr;
  }
  static LinkOptions within(int timeout_ms) {
    LinkOptions options;
    options.timeout_ms = timeout_ms;
    return options;
  }
  std::unique_ptr<Acceptor> listening() {
    auto acceptor = server_->listen("127.0.0.1", 0);
    EXPECT_OK(acceptor);
    return acceptor.ok() ? std::move(*acceptor) : nullptr;
  }
  static void expect_working(const Link& from, const Link& to) {
    EXPECT_OK(outcome(from.notify("hello")));
    EXPECT_EQ(next_notification(to), "hello");
  }

  // A server that comes at last.
  void expect_met(int port, std::future<Result<Link>>& connecting) {
    auto acceptor = server_->listen("127.0.0.1", port);
    ASSERT_OK(acceptor);
    auto accepted = (*acceptor)->accept(kPatienceMs);
    ASSERT_OK(accepted);
    auto connected = connecting.get();
    ASSERT_OK(connected);
    expect_working(*connected, *accepted);
  }

  std::shared_ptr<Engine> client_, server_;
};

TEST_F(ConnectErrors, NobodyThere) {
  const UniqueFd taken = listen_on_loopback(0);
  const int port = bound_port(taken);
  EXPECT_CODE(client_->connect("127.0.0.1", port + 1 < 65536 ? 1 : 2, within(200)), Code::timeout);
  EXPECT_CODE(client_->connect("no.such.host.invalid", 1, within(200)), Code::timeout);
  // Listens, and says nothing.
  EXPECT_CODE(client_->connect("127.0.0.1", port, within(200)), Code::timeout);
}

TEST_F(ConnectErrors, WrongArguments) {
  for (const int port : {-1, 0, 65536})
    EXPECT_CODE(client_->connect("127.0.0.1", port, within(200)), Code::invalid_argument);
  for (const int port : {-1, 65536})
    EXPECT_CODE(server_->listen("127.0.0.1", port), Code::invalid_argument);
  EXPECT_CODE(client_->connect("127.0.0.1", 1, within(0)), Code::invalid_argument);
  LinkOptions options = within(200);
  options.devices = {"nosuch0"};
  EXPECT_CODE(client_->connect("127.0.0.1", 1, options), Code::invalid_argument);
  options.devices.assign(65, "lo");
  const auto too_many = client_->connect("127.0.0.1", 1, options);
  ASSERT_FALSE(too_many.ok());
  EXPECT_EQ(too_many.error().message(), "65 devices of a link, of 64 at most");
  options = within(200);
  options.channels_per_device = 1000;
  EXPECT_CODE(server_->listen("127.0.0.1", 0, options), Code::invalid_argument);
  EXPECT_CODE(client_->connect("not a name", 1, within(kPatienceMs)), Code::invalid_argument);
}

TEST_F(ConnectErrors, WrongEngineOptions) {
  EngineOptions options;
  options.chunk_bytes = 5 << 20;
  EXPECT_CODE(Engine::create(options), Code::invalid_argument);
  options = {};
  options.threads = -1;
  EXPECT_CODE(Engine::create(options), Code::invalid_argument);
  options = {};
  options.devices = {"nosuch0"};
  EXPECT_CODE(Engine::create(options), Code::invalid_argument);
  options.devices.assign(65, "lo");
  EXPECT_CODE(Engine::create(options), Code::invalid_argument);
  options = {};
  options.plugin = "/nowhere/libnccl-net-nothing.so";
  EXPECT_CODE(Engine::create(options), Code::unavailable);
}

TEST_F(ConnectErrors, PortInUse) {
  const auto acceptor = listening();
  EXPECT_CODE(server_->listen("127.0.0.1", acceptor->port()), Code::system);
  // Closed, it is free at once.
  acceptor->close();
  EXPECT_OK(server_->listen("127.0.0.1", acceptor->port()));
}

TEST_F(ConnectErrors, ClientComesBeforeItsServer) {
  int port = 0;
  {
    const auto soon = listening();
    port = soon->port();
  }
  auto connecting = std::async(std::launch::async,
                               [&] { return client_->connect("127.0.0.1", port, within(20'000)); });
  EXPECT_EQ(connecting.wait_for(Milliseconds(120)), std::future_status::timeout);
  expect_met(port, connecting);
}

// What takes connections and drops them may be a server that is just being replaced.
TEST_F(ConnectErrors, ServerIsRestartedMeanwhile) {
  int port = 0;
  std::future<Result<Link>> connecting;
  {
    const UniqueFd old = listen_on_loopback(0);
    const int on = 1;  // as servers do that are restarted
    ASSERT_EQ(::setsockopt(old.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    port = bound_port(old);
    connecting = std::async(std::launch::async,
                            [&] { return client_->connect("127.0.0.1", port, within(20'000)); });
    for (int i = 0; i < 3; ++i) {
      const UniqueFd caller(::accept(old.get(), nullptr, nullptr));
      EXPECT_TRUE(caller.valid());
    }
  }
  expect_met(port, connecting);
}

TEST_F(ConnectErrors, EndWithTheirEngine) {
  const UniqueFd silent = listen_on_loopback(0);
  const int port = bound_port(silent);
  Engine* const engine = client_.get();
  auto connecting = std::async(std::launch::async, [&, engine] {
    return engine->connect("127.0.0.1", port, within(60'000));
  });
  const UniqueFd caller(::accept(silent.get(), nullptr, nullptr));
  client_.reset();
  ASSERT_EQ(connecting.wait_for(Milliseconds(kPatienceMs)), std::future_status::ready);
  EXPECT_CODE(connecting.get(), Code::cancelled);
}

// An engine of another version hears why, and tells its user.
TEST_F(ConnectErrors, OtherVersionsAreToldSo) {
  const auto acceptor = listening();
  const UniqueFd other = connect_to_loopback(acceptor->port());
  std::vector<std::byte> hello = engine_wire::frame_of(engine_wire::sample_hello());
  hello[4] = std::byte{77};
  ASSERT_EQ(::send(other.get(), hello.data(), hello.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(hello.size()));
  std::array<std::byte, engine::wire::kFrameBytes> answer;
  const ssize_t got = ::recv(other.get(), answer.data(), answer.size(), 0);
  ASSERT_GT(got, 0);
  const std::vector<std::byte> frame(answer.begin(), answer.begin() + got);
  const auto records = engine_wire::records_of(frame);
  ASSERT_OK(records);
  const auto* const refuse = std::get_if<engine::wire::Refuse>(&records->front());
  ASSERT_NE(refuse, nullptr);
  EXPECT_EQ(refuse->reason, "protocol version 77, this side speaks 3");
}

TEST_F(ConnectErrors, StrangersOnThePortHarmNobody) {
  const auto acceptor = listening();
  std::vector<UniqueFd> strangers;
  const auto say = [&](std::string_view text) {
    strangers.push_back(connect_to_loopback(acceptor->port()));
    ASSERT_TRUE(strangers.back().valid());
    ASSERT_EQ(::send(strangers.back().get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  };
  for (int i = 0; i < 10; ++i) {
    say("");
    say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    say(std::string(100'000, '\xff'));
    say(std::string("HWSF\x01\x00\x01\x00\xff\xff\xff\xff\x00\x00\x00\x00", 16));
    say("HWS");
    say("HWSF");
  }
  auto connected = client_->connect("127.0.0.1", acceptor->port(), within(kPatienceMs));
  ASSERT_OK(connected);
  auto accepted = acceptor->accept(kPatienceMs);
  ASSERT_OK(accepted);
  expect_working(*connected, *accepted);
  EXPECT_CODE(acceptor->accept(0), Code::timeout);
}

TEST_F(ConnectErrors, TransportsThatDiffer) {
  EngineOptions options = engine_options(plain_variant());
  options.plugin = built("tests/plugins/libnccl-net-loopback-v9.so");
  auto other = Engine::create(options);
  ASSERT_OK(other);
  const auto acceptor = listening();
  EXPECT_CODE((*other)->connect("127.0.0.1", acceptor->port(), within(kPatienceMs)), Code::peer);
}

TEST_F(ConnectErrors, AcceptThatIsClosed) {
  const auto acceptor = listening();
  EXPECT_CODE(acceptor->accept(1), Code::timeout);
  EXPECT_FALSE(acceptor->try_accept().has_value());
  auto accepting = std::async(std::launch::async, [&] { return acceptor->accept(); });
  EXPECT_EQ(accepting.wait_for(Milliseconds(30)), std::future_status::timeout);
  acceptor->close();
  EXPECT_CODE(accepting.get(), Code::cancelled);
  EXPECT_CODE(acceptor->accept(), Code::cancelled);
}

TEST_F(ConnectErrors, AcceptWhoseEngineGoes) {
  const auto acceptor = listening();
  const int port = acceptor->port();
  auto accepting = std::async(std::launch::async, [&] { return acceptor->accept(); });
  EXPECT_EQ(accepting.wait_for(Milliseconds(30)), std::future_status::timeout);
  server_.reset();
  const bool ended = accepting.wait_for(Milliseconds(5000)) == std::future_status::ready;
  EXPECT_TRUE(ended) << "accept() waits for an engine that is gone";
  if (!ended) acceptor->close();
  EXPECT_CODE(accepting.get(), Code::cancelled);
  EXPECT_FALSE(connect_to_loopback(port).valid()) << "the port is still open";
}

TEST_F(ConnectErrors, LinksThatNobodyAccepted) {
  auto acceptor = listening();
  auto connected = client_->connect("127.0.0.1", acceptor->port(), within(kPatienceMs));
  ASSERT_OK(connected);
  acceptor.reset();
  EXPECT_TRUE(eventually([&] { return !connected->up(); }));
  EXPECT_CODE(connected->status(), Code::peer);
}

TEST_F(ConnectErrors, ServerGoesWhileClientsConnect) {
  for (int round = 0; round < 8; ++round) {
    auto server = made();
    auto acceptor = server->listen("127.0.0.1", 0);
    ASSERT_OK(acceptor);
    const int port = (*acceptor)->port();
    std::vector<std::future<Result<Link>>> connecting;
    for (int i = 0; i < 3; ++i)
      connecting.push_back(std::async(
          std::launch::async, [&] { return client_->connect("127.0.0.1", port, within(300)); }));
    if (round % 2 == 0) static_cast<void>((*acceptor)->accept(kPatienceMs));
    server.reset();
    for (auto& one : connecting) {
      auto link = one.get();
      if (!link.ok()) continue;
      EXPECT_TRUE(eventually([&] { return !link->up(); }));
      EXPECT_CODE(link->status(), Code::peer);
    }
  }
}

TEST_F(ConnectErrors, ManyLinksOfManyEngines) {
  const auto acceptor = listening();
  const auto third = made();
  std::vector<std::future<Result<Link>>> connecting;
  for (int i = 0; i < 8; ++i) {
    Engine& engine = i % 3 == 0 ? *server_ : i % 3 == 1 ? *client_ : *third;
    connecting.push_back(std::async(std::launch::async, [&] {
      return engine.connect("127.0.0.1", acceptor->port(), within(kPatienceMs));
    }));
  }
  std::vector<Link> accepted, connected;
  for (std::size_t i = 0; i < connecting.size(); ++i) {
    auto link = acceptor->accept(kPatienceMs);
    ASSERT_OK(link);
    accepted.push_back(*link);
  }
  for (auto& one : connecting) {
    auto link = one.get();
    ASSERT_OK(link);
    connected.push_back(*link);
  }
  for (std::size_t i = 0; i < connected.size(); ++i)
    ASSERT_OK(outcome(connected[i].notify(std::to_string(i))));
  std::vector<std::string> told;
  for (const Link& link : accepted) told.push_back(next_notification(link));
  std::sort(told.begin(), told.end());
  EXPECT_EQ(told, (std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7"}));
}

}  // namespace
}  // namespace hawser::test
