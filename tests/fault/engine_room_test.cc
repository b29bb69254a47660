// Transfers that wait for room at the peer, and channels that fail meanwhile; and a peer that does
// not wait.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <future>
#include <thread>

#include "engine/wire.h"
#include "fault/engine_cuts.h"
#include "support/ports.h"
#include "support/scoped_env.h"

namespace hawser::test {
namespace {

// A link's two engines, both in this process.
struct RoomEnds {
  std::unique_ptr<Engine> client, server;
  std::unique_ptr<Acceptor> acceptor;
  Link near, far;

  void make_server(const EngineOptions& options, const std::string& address) {
    auto engine = Engine::create(options);
    ASSERT_TRUE(engine.ok()) << engine.error().message();
    server = std::move(*engine);
    auto listening = server->listen(address, 0);
    ASSERT_TRUE(listening.ok()) << listening.error().message();
    acceptor = std::move(*listening);
  }
  void make_client(const EngineOptions& options) {
    auto engine = Engine::create(options);
    ASSERT_TRUE(engine.ok()) << engine.error().message();
    client = std::move(*engine);
  }
  void meet(const std::string& address, int port) {
    auto connected = client->connect(address, port);
    ASSERT_TRUE(connected.ok()) << connected.error().message();
    near = *connected;
    auto accepted = acceptor->accept(30'000);
    ASSERT_TRUE(accepted.ok()) << accepted.error().message();
    far = *accepted;
  }
};

// ---- channels that fail ----

class EngineRoomCut : public EngineNics {
 protected:
  static constexpr std::size_t kMessages = 1'000;

  void SetUp() override {
    EngineNics::SetUp();
    if (IsSkipped()) return;
    inside(namespaces_->b(),
           [&] { ends_.make_server(setup().engine(), NamespacePair::address_b(0)); });
    inside(namespaces_->a(), [&] {
      ends_.make_client(setup().engine());
      ends_.meet(NamespacePair::address_b(0), ends_.acceptor->port());
    });
  }
  void TearDown() override {
    ends_ = {};
    EngineNics::TearDown();
  }
  std::optional<std::string> next_text() {
    std::optional<Notification> next;
    wait_until(Milliseconds(20'000), [&] {
      next = ends_.far.take_notification();
      return next.has_value();
    });
    if (!next) return std::nullopt;
    return next->text;
  }

  const ScopedEnvironment messages_{"HAWSER_MAX_MESSAGES", "20"};
  const ScopedEnvironment notifications_{"HAWSER_MAX_NOTIFICATIONS", "20"};
  RoomEnds ends_;
};

TEST_F(EngineRoomCut, NothingIsLostOrOutOfOrder) {
  std::vector<std::uint64_t> here(kMessages), there(kMessages);
  auto from = ends_.client->register_memory(here.data(), 8 * kMessages);
  auto to = ends_.server->register_memory(there.data(), 8 * kMessages);
  ASSERT_TRUE(from.ok() && to.ok());
  std::vector<Transfer> sends, told;
  for (std::size_t i = 0; i < kMessages; ++i) {
    here[i] = i;
    sends.push_back(ends_.near.send(1, *from, 8 * i, 8));
    told.push_back(ends_.near.notify(std::to_string(i)));
  }
  const Cut cuts[] = {Cut::reset, Cut::both_ways, Cut::reset, Cut::down_there};
  for (std::size_t i = 0; i < kMessages; ++i) {
    if (i % 200 == 100) {
      const int nic = static_cast<int>(i / 200) % kNics;
      const Cut how = cuts[i / 200 % std::size(cuts)];
      if (i >= 300)
        restore(cuts[(i / 200 - 1) % std::size(cuts)], static_cast<int>(i / 200 - 1) % kNics);
      cut(how, nic);
    }
    ASSERT_EQ(next_text(), std::to_string(i));
    ASSERT_TRUE(ends_.far.recv(1, *to, 8 * i, 8).result().ok()) << i;
    ASSERT_EQ(there[i], i);
  }
  for (std::size_t i = 0; i < kMessages; ++i)
    ASSERT_TRUE(sends[i].result().ok() && told[i].result().ok()) << i;
  EXPECT_TRUE(ends_.near.up());
}

// ---- a peer that takes what it was not given ----

// Between a client and its server: what the server says of its room is forged on the way, so that
// the client exceeds it.
class ForgedRoom {
 public:
  explicit ForgedRoom(int server)
      : listening_(listen_on_loopback(0)), server_(connect_to_loopback(server)) {
    to_server_ = std::thread([this] {
      client_ = UniqueFd(::accept(listening_.get(), nullptr, nullptr));
      accepted_.set_value();
      std::array<std::byte, engine::wire::kFrameBytes> bytes;
      forward(client_.get(), server_.get(), bytes);
    });
    to_client_ = std::thread([this] {
      std::array<std::byte, engine::wire::kFrameBytes> bytes;
      accepted_.get_future().wait();
      forge(bytes);
      forward(server_.get(), client_.get(), bytes);
    });
  }
  ~ForgedRoom() {
    for (const UniqueFd* const fd : {&listening_, &server_}) ::shutdown(fd->get(), SHUT_RDWR);
    to_server_.join();
    to_client_.join();
  }
  int port() const { return bound_port(listening_); }

 private:
  static void forward(int from, int to, std::span<std::byte> bytes) {
    for (ssize_t got = 0; (got = ::recv(from, bytes.data(), bytes.size(), 0)) > 0;)
      if (::send(to, bytes.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) break;
    ::shutdown(from, SHUT_RDWR);
    ::shutdown(to, SHUT_RDWR);
  }
  // The Welcome ends with it.
  void forge(std::span<std::byte> bytes) {
    using namespace engine::wire;
    std::span<const std::byte, kFrameHeaderBytes> header(bytes.first<kFrameHeaderBytes>());
    if (::recv(server_.get(), bytes.data(), kFrameHeaderBytes, MSG_WAITALL) <= 0) return;
    const auto length = frame_length(header);
    ASSERT_TRUE(length.ok()) << length.error().message();
    const auto rest = bytes.subspan(kFrameHeaderBytes, *length - kFrameHeaderBytes);
    ASSERT_EQ(::recv(server_.get(), rest.data(), rest.size(), MSG_WAITALL),
              static_cast<ssize_t>(rest.size()));
    std::fill_n(rest.end() - 24, 24, std::byte{1});
    ASSERT_EQ(::send(client_.get(), bytes.data(), *length, MSG_NOSIGNAL),
              static_cast<ssize_t>(*length));
  }

  UniqueFd listening_, server_, client_;
  std::promise<void> accepted_;
  std::thread to_server_, to_client_;
};

class EngineRoomForged : public testing::Test {
 protected:
  void SetUp() override {
    EngineOptions options;
    options.plugin = "builtin";
    ends_.make_server(options, "127.0.0.1");
    ends_.make_client(options);
    forged_ = std::make_unique<ForgedRoom>(ends_.acceptor->port());
    ends_.meet("127.0.0.1", forged_->port());
    auto here = ends_.client->register_memory(here_.data(), here_.size());
    auto there = ends_.server->register_memory(there_.data(), there_.size());
    ASSERT_TRUE(here.ok() && there.ok());
    here_region_ = *here;
    remote_ = *RemoteRegion::from_token(there->token());
  }
  void TearDown() override {
    ends_.near.close();
    forged_.reset();
  }
  void expect_ended(const std::string& what) {
    ASSERT_TRUE(wait_until(Milliseconds(20'000), [&] { return !ends_.far.up(); }));
    EXPECT_EQ(ends_.far.status().error().code(), Code::protocol);
    EXPECT_EQ(ends_.far.status().error().message(),
              "the peer sent more " + what + " than it was granted room for");
    ASSERT_TRUE(wait_until(Milliseconds(20'000), [&] { return !ends_.near.up(); }));
    EXPECT_EQ(ends_.near.status().error().code(), Code::peer);
  }

  const ScopedEnvironment interface_{"HAWSER_SOCKET_IFNAME", "=lo"};
  const ScopedEnvironment messages_{"HAWSER_MAX_MESSAGES", "10"};
  const ScopedEnvironment reads_{"HAWSER_MAX_READS", "1"};
  const ScopedEnvironment notifications_{"HAWSER_MAX_NOTIFICATIONS", "10"};
  std::vector<std::byte> here_ = std::vector<std::byte>(100'000);
  std::vector<std::byte> there_ = std::vector<std::byte>(100'000);
  RoomEnds ends_;
  std::unique_ptr<ForgedRoom> forged_;
  Region here_region_;
  RemoteRegion remote_;
};

TEST_F(EngineRoomForged, MoreMessages) {
  for (int i = 0; i < 10; ++i) ends_.near.send(1, here_region_, 0, 8);
  EXPECT_TRUE(ends_.near.write(here_region_, 0, remote_, 0, 100'000).result().ok());
  EXPECT_TRUE(ends_.far.up()) << "as many as there is room for";
  ends_.near.send(1, here_region_, 0, 8);
  expect_ended("messages");
}

TEST_F(EngineRoomForged, MoreNotifications) {
  for (int i = 0; i < 11; ++i) ends_.near.notify("x");
  expect_ended("notifications");
}

TEST_F(EngineRoomForged, MoreReads) {
  std::vector<Block> pieces;  // of two requests, in one frame
  for (std::uint64_t i = 0; i < 1000; ++i) pieces.push_back({2 * i, 2 * i, 1});
  ends_.near.read(here_region_, remote_, pieces);
  expect_ended("reads");
}

// Of which data comes, and no beginning has room.
TEST_F(EngineRoomForged, MoreWritesWithNotifications) {
  TransferOptions told;
  told.notification = "x";
  for (int i = 0; i < 11; ++i) ends_.near.write(here_region_, 0, remote_, 0, 50'000, told);
  ASSERT_TRUE(wait_until(Milliseconds(20'000), [&] { return !ends_.far.up(); }));
  EXPECT_EQ(ends_.far.status().error().code(), Code::protocol);
}

}  // namespace
}  // namespace hawser::test
