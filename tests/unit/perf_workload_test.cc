// Streams and ping-pong over lanes, both sides in this process, over simulated Nets; and over bare
// sockets.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "channel/channel_manager.h"
#include "memory/pattern.h"
#include "perf/bare_work.h"
#include "perf/workload.h"
#include "support/fake_net.h"

namespace hawser {
namespace {

using test::FakeNet;
using namespace std::chrono_literals;

constexpr std::size_t kRingBytes = 64 * 1024;

NetCapabilities capabilities(bool unpacking) {
  NetCapabilities can;
  can.max_requests = 8;
  can.max_request_bytes = 4096;
  can.oldest_first = true;
  can.needs_unpack = unpacking;
  can.registration_per_device = true;
  can.reports_received_bytes = !unpacking;
  return can;
}

WaitBound bound_of_a_test() {
  return {Deadline::after(20'000ms), {}};
}

// Two sides with some lanes between them. The Net fails a caller that breaks a rule.
class PerfLanes : public ::testing::TestWithParam<bool> {
 protected:
  PerfLanes()
      : net_(std::make_shared<FakeNet>(capabilities(GetParam()))),
        client_manager_(net_),
        server_manager_(net_) {}
  ~PerfLanes() override {
    client_.clear();
    server_.clear();
    client_manager_.close_all();
    server_manager_.close_all();
    EXPECT_EQ(net_->counts().broken_rules, 0);
  }

  void make(int lanes) {
    client_.resize(static_cast<std::size_t>(lanes));
    server_.resize(client_.size());
    for (int i = 0; i < lanes; ++i) {
      const auto at = static_cast<std::size_t>(i);
      join(2 * i, client_manager_, client_[at].out, server_manager_, server_[at].in);
      join(2 * i + 1, server_manager_, server_[at].out, client_manager_, client_[at].in);
    }
  }

  // Both sides at the same time; the server's in a thread of its own.
  template <class Client, class Server>
  void both(Client&& client, Server&& server) {
    std::thread other([&] {
      const WaitBound bound = bound_of_a_test();
      Watch watch(PerfIdle::yield, bound, "the server's part");
      const Status done = server(watch);
      EXPECT_TRUE(done.ok()) << done.error().message();
    });
    const WaitBound bound = bound_of_a_test();
    Watch watch(PerfIdle::yield, bound, "the client's part");
    const Status done = client(watch);
    EXPECT_TRUE(done.ok()) << done.error().message();
    other.join();
  }

  void stream_both(const StreamWork& work) {
    StreamWork servers = work;
    servers.role = Role::server;
    both([&](Watch& watch) { return stream(pointers(client_), work, watch); },
         [&](Watch& watch) { return stream(pointers(server_), servers, watch); });
  }

  static std::vector<Lane*> pointers(std::vector<Lane>& lanes) {
    std::vector<Lane*> out;
    for (Lane& lane : lanes) out.push_back(&lane);
    return out;
  }

  static void fill(OneWay& from, OneWay& to, std::uint32_t key, std::size_t bytes) {
    ASSERT_TRUE(write_pattern({5, 0, key}, *from.buffer, bytes).ok());
    ASSERT_TRUE(write_spoiled({5, 0, key}, *to.buffer, bytes).ok());
  }
  static bool arrived(const OneWay& to, std::uint32_t key, std::size_t bytes) {
    return !check_pattern({5, 0, key}, *to.buffer, bytes)->has_value();
  }

  std::vector<Lane> client_, server_;

 private:
  void join(int index, ChannelManager& from, OneWay& out, ChannelManager& to, OneWay& in) {
    const ChannelKey key{0, 0, index};
    ChannelOptions options;
    options.chunk_bytes = 4096;
    auto listener = to.listen(key);
    const Handle handle = (*listener)->handle();
    out.channel = *from.connect(key, handle, options, bound_of_a_test());
    in.channel = *to.accept(key, std::move(*listener), options, bound_of_a_test());
    furnish(from, out);
    furnish(to, in);
  }
  static void furnish(ChannelManager& manager, OneWay& way) {
    way.buffer = *Buffer::host(kRingBytes + kPageBytes);
    way.registration = *manager.register_devmem_once(*way.channel, way.buffer->range());
  }

  std::shared_ptr<FakeNet> net_;
  ChannelManager client_manager_, server_manager_;
};

TEST_P(PerfLanes, AStreamIsOverWhenEveryByteHasCome) {
  make(3);
  const MessageRun run{5000, 57, 4};
  for (std::uint32_t i = 0; i < 3; ++i)
    fill(client_[i].out, server_[i].in, i, run.message_bytes * run.slots);
  stream_both({Role::client, false, run});
  for (std::uint32_t i = 0; i < 3; ++i)
    EXPECT_TRUE(arrived(server_[i].in, i, run.message_bytes * run.slots)) << i;
}

TEST_P(PerfLanes, BothWaysAtOnce) {
  make(2);
  const MessageRun run{8, 1000, 16};
  for (std::uint32_t i = 0; i < 2; ++i) {
    fill(client_[i].out, server_[i].in, 2 * i, run.message_bytes * run.slots);
    fill(server_[i].out, client_[i].in, 2 * i + 1, run.message_bytes * run.slots);
  }
  stream_both({Role::client, true, run});
  for (std::uint32_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(arrived(server_[i].in, 2 * i, run.message_bytes * run.slots));
    EXPECT_TRUE(arrived(client_[i].in, 2 * i + 1, run.message_bytes * run.slots));
  }
}

TEST_P(PerfLanes, PingPongRecordsEachRoundTrip) {
  make(1);
  fill(client_[0].out, server_[0].in, 1, 9000);
  fill(server_[0].out, client_[0].in, 2, 9000);
  LatencyHistogram trips;
  both([&](Watch& watch) { return ping(client_[0], 9000, 40, watch, &trips); },
       [&](Watch& watch) { return pong(server_[0], 9000, 40, watch); });
  EXPECT_EQ(trips.count(), 40u);
  EXPECT_TRUE(arrived(server_[0].in, 1, 9000));
  EXPECT_TRUE(arrived(client_[0].in, 2, 9000));
}

TEST_P(PerfLanes, WithoutAPeerTheBoundEndsIt) {
  make(1);
  const WaitBound bound{Deadline::after(20ms), {}};
  Watch watch(PerfIdle::yield, bound, "the stream");
  const Status done = stream(pointers(client_), {Role::client, false, {64, 1000, 2}}, watch);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code(), Code::timeout);
}

INSTANTIATE_TEST_SUITE_P(Nets, PerfLanes, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "unpacking" : "plain"; });

// Two ends of so many bare sockets, over 127.0.0.1.
struct BarePair {
  std::unique_ptr<BareLink> client, server;
};

BarePair bare_pair(std::size_t sockets) {
  auto listener = BareListener::listen("127.0.0.1");
  EXPECT_TRUE(listener.ok());
  Result<std::vector<UniqueFd>> accepted = Error(Code::internal, "not yet");
  std::thread server([&] { accepted = listener->accept(2 * sockets, bound_of_a_test()); });
  auto connected = bare_connect(listener->meeting(), 2 * sockets, bound_of_a_test());
  server.join();
  EXPECT_TRUE(accepted.ok() && connected.ok());
  return {*BareLink::make(Role::client, std::move(*connected), kRingBytes),
          *BareLink::make(Role::server, std::move(*accepted), kRingBytes)};
}

TEST(BareSockets, StreamThereAndBothWays) {
  BarePair pair = bare_pair(2);
  for (const int variant : {0, 1, 2, 3}) {
    const auto carry_out = [variant](BareLink& link, Role role) {
      const StreamWork work{role, variant % 2 == 1, {5000, 100, 3}};
      return variant < 2 ? link.stream(work, bound_of_a_test())
                         : link.stream_polling(work, PerfIdle::yield, bound_of_a_test());
    };
    Status served;
    std::thread server([&] { served = carry_out(*pair.server, Role::server); });
    const Status sent = carry_out(*pair.client, Role::client);
    server.join();
    EXPECT_TRUE(sent.ok() && served.ok());
  }
}

TEST(BareSockets, PingPong) {
  BarePair pair = bare_pair(1);
  LatencyHistogram trips;
  Status served;
  const WaitBound bound = bound_of_a_test();
  std::thread server([&] {
    Watch watch(PerfIdle::yield, bound, "pong");
    served = pair.server->pong(100, 50, watch);
  });
  Watch watch(PerfIdle::yield, bound, "ping");
  const Status done = pair.client->ping(100, 50, watch, &trips);
  server.join();
  EXPECT_TRUE(done.ok() && served.ok());
  EXPECT_EQ(trips.count(), 50u);
}

TEST(BareSockets, AClosedPeerAndASilentOneAreErrors) {
  BarePair pair = bare_pair(1);
  const Status silent =
      pair.server->stream({Role::server, false, {64, 10, 2}}, {Deadline::after(50ms), {}});
  ASSERT_FALSE(silent.ok());
  EXPECT_EQ(silent.error().code(), Code::timeout);
  pair.client.reset();
  const Status closed = pair.server->stream({Role::server, false, {64, 10, 2}}, bound_of_a_test());
  ASSERT_FALSE(closed.ok());
  EXPECT_EQ(closed.error().code(), Code::peer);
}

TEST(BareSockets, TurnStrangersAway) {
  auto listener = BareListener::listen("127.0.0.1");
  ASSERT_TRUE(listener.ok());
  BareMeeting wrong = listener->meeting();
  wrong.nonce += 1;
  Result<std::vector<UniqueFd>> accepted = Error(Code::internal, "not yet");
  std::thread server([&] { accepted = listener->accept(2, bound_of_a_test()); });
  const auto stranger = bare_connect(wrong, 1, bound_of_a_test());
  EXPECT_TRUE(stranger.ok()) << "it cannot know yet";
  const auto right = bare_connect(listener->meeting(), 2, bound_of_a_test());
  server.join();
  ASSERT_TRUE(accepted.ok()) << accepted.error().message();
  EXPECT_EQ(accepted->size(), 2u);
}

TEST(BareSockets, CongestionControlIsSetAndRead) {
  auto listener = BareListener::listen("127.0.0.1");
  std::thread server([&] { (void)listener->accept(1, bound_of_a_test()).ok(); });
  const auto sockets = bare_connect(listener->meeting(), 1, bound_of_a_test());
  server.join();
  ASSERT_TRUE(sockets.ok());
  const int socket = sockets->front().get();
  EXPECT_NE(congestion_control(socket), "");
  EXPECT_TRUE(set_congestion_control(socket, "reno").ok()) << "every kernel has it";
  EXPECT_EQ(congestion_control(socket), "reno");
  const Status wrong = set_congestion_control(socket, "nosuch");
  ASSERT_FALSE(wrong.ok());
  EXPECT_NE(wrong.error().message().find("nosuch"), std::string::npos);
}

}  // namespace
}  // namespace hawser
