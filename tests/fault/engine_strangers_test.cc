// Whoever reaches the port of an engine and speaks its protocol, without any right: what he can
// make it keep, open and connect to is bounded, and others do not notice him.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <hawser/engine.h>

#include "base/socket.h"
#include "engine/control_line.h"
#include "engine/nic_ways.h"
#include "net/tcp/handle.h"
#include "support/bootstrap_fixture.h"
#include "support/sanitizers.h"
#include "support/scoped_env.h"
#include "support/threads.h"

namespace hawser::test {
namespace {

using testing::HasSubstr;
namespace engine_wire = engine::wire;

constexpr int kStrangerPatienceMs = 30'000;
constexpr const char* kStranger = "127.0.0.3";
constexpr const char* kBystander = "127.0.0.2";  // of whom the stranger says nothing

IpAddress ip_of(const std::string& text) {
  return *IpAddress::parse(text);
}

std::size_t resident_bytes_now() {
  std::ifstream file("/proc/self/statm");
  std::size_t pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// A port of an address of loopback where nobody answers, unless the test does.
struct DeadPort {
  explicit DeadPort(const std::string& at) : socket(sockets::open_socket(IpFamily::ipv4)) {
    EXPECT_EQ(sockets::listen_on(socket, SocketAddress{ip_of(at), 0}), 0);
    address = *sockets::local_address(socket.get());
  }
  Handle handle() const {
    tcp::ListenerName name;
    name.addresses.push_back(address);
    return tcp::encode_handle(name);
  }
  UniqueFd next() const { return sockets::accept_one(socket.get()); }

  UniqueFd socket;
  SocketAddress address;
};

// A client of the control connection alone.
class Stranger {
 public:
  Stranger(const std::string& from, int port) {
    UniqueFd socket = sockets::open_socket(IpFamily::ipv4);
    EXPECT_EQ(sockets::bind_source(socket.get(), ip_of(from)), 0);
    EXPECT_EQ(sockets::start_connect(socket.get(), SocketAddress{ip_of("127.0.0.1"),
                                                                 static_cast<std::uint16_t>(port)}),
              0);
    EXPECT_TRUE(eventually([&] { return sockets::connect_outcome(socket.get()).has_value(); }));
    line_ =
        std::make_unique<control::Line>(std::move(socket), "the engine", engine::kControlProtocol);
  }

  // So many NICs, all at one address. The channels that it is given; none, and why.
  std::size_t meet(std::size_t nics, unsigned channels_per_device, const std::string& at) {
    engine_wire::Hello hello;
    hello.chunk_bytes = 1 << 19;
    hello.channels_per_device = channels_per_device;
    hello.transport = "hawser TCP";
    for (std::size_t i = 0; i < nics; ++i)
      hello.devices.push_back(
          {"lo" + std::to_string(i), 1000, {engine::endpoint_of({ip_of(at), 4000}, 8)}});
    say(hello);
    std::optional<std::size_t> channels;
    EXPECT_TRUE(eventually([&] {
      hear([&](const engine_wire::Record& record) {
        if (const auto* const welcome = std::get_if<engine_wire::Welcome>(&record))
          channels = welcome->channels.size();
        if (const auto* const refuse = std::get_if<engine_wire::Refuse>(&record)) {
          refusal_ = std::string(refuse->reason);
          channels = 0;
        }
      });
      return channels.has_value();
    }));
    return channels.value_or(0);
  }
  const std::string& refusal() const { return refusal_; }

  void say(const engine_wire::Record& record) {
    const std::vector<std::byte> frame = engine::frame_of(record);
    for (Backoff backoff; !line_->send(frame) && !line_->broken(); backoff.idle()) {
      line_->flush();
      static_cast<void>(line_->discard());
    }
  }
  bool all_said() {
    line_->flush();
    static_cast<void>(line_->discard());
    return !line_->wants_to_write();
  }
  void hear(const std::function<void(const engine_wire::Record&)>& take) {
    static_cast<void>(line_->read([&](std::span<const std::byte> frame) {
      return engine::read_records(frame, [&](const engine_wire::Record& record) -> Status {
        take(record);
        return {};
      });
    }));
  }

 private:
  std::unique_ptr<control::Line> line_;
  std::string refusal_;
};

class EngineStrangers : public testing::Test {
 protected:
  void SetUp() override {
    EngineOptions options;
    options.devices = {"lo"};
    server_ = make(options);
    client_ = make(options);
    auto acceptor = server_->listen("127.0.0.1", 0);
    ASSERT_TRUE(acceptor.ok()) << acceptor.error().message();
    acceptor_ = std::move(*acceptor);
    port_ = acceptor_->port();
  }
  static std::unique_ptr<Engine> make(const EngineOptions& options) {
    auto made = Engine::create(options);
    EXPECT_TRUE(made.ok()) << made.error().message();
    return std::move(*made);
  }
  std::pair<Link, Link> innocent_link() {
    auto near = client_->connect("127.0.0.1", port_);
    EXPECT_TRUE(near.ok()) << near.error().message();
    auto far = acceptor_->accept(kStrangerPatienceMs);
    EXPECT_TRUE(far.ok()) << far.error().message();
    return {*near, *far};
  }
  static void expect_works(const std::pair<Link, Link>& link) {
    const Transfer told = link.first.notify("still here");
    EXPECT_TRUE(told.wait(kStrangerPatienceMs));
    EXPECT_TRUE(eventually([&] { return link.second.take_notification().has_value(); }));
  }

  CapturedLog log_;
  std::unique_ptr<Engine> server_, client_;
  std::unique_ptr<Acceptor> acceptor_;
  int port_ = 0;
};

TEST_F(EngineStrangers, ManyOffersOfAChannelAreKeptOneAtATime) {
  constexpr std::uint32_t kOffers = 100'000;
  const auto innocent = innocent_link();
  const DeadPort dead(kStranger);
  Stranger stranger(kStranger, port_);
  const std::size_t channels = stranger.meet(1, 4, kStranger);
  ASSERT_EQ(channels, 4u);
  const std::size_t before = resident_bytes_now();
  for (std::uint32_t i = 0; i < kOffers; ++i)
    stranger.say(engine_wire::ChannelOffer{i % 4, 1 + i / 4, dead.handle()});
  EXPECT_TRUE(eventually([&] { return stranger.all_said(); }));
  if (!kSanitized) EXPECT_LT(resident_bytes_now(), before + (24u << 20));
  expect_works(innocent);
  EXPECT_LT(log_.lines().size(), 40u) << "not one for each";
}

TEST_F(EngineStrangers, NobodyElsesAddressIsConnectedTo) {
  const DeadPort own(kStranger);
  const DeadPort others(kBystander);
  Stranger stranger(kStranger, port_);
  ASSERT_EQ(stranger.meet(1, 2, kStranger), 2u);
  stranger.say(engine_wire::ChannelOffer{0, 1, others.handle()});
  stranger.say(engine_wire::ChannelOffer{1, 1, own.handle()});
  bool asked = false;
  std::string outcome;
  UniqueFd came;
  EXPECT_TRUE(eventually([&] {
    if (!came.valid()) {
      came = own.next();
      if (came.valid()) EXPECT_GT(::send(came.get(), "no welcome, but much else", 25, 0), 0);
    }
    stranger.hear([&](const engine_wire::Record& record) {
      if (const auto* const offer = std::get_if<engine_wire::ChannelOffer>(&record))
        asked = asked || (offer->channel == 0 && offer->sends);
      if (const auto* const down = std::get_if<engine_wire::ChannelDown>(&record))
        if (down->channel == 1) outcome = std::string(down->reason);
    });
    return asked && !outcome.empty();
  }));
  EXPECT_TRUE(came.valid()) << "its own address is";
  EXPECT_EQ(outcome, "failed") << "and what came of it is not told";
  EXPECT_FALSE(others.next().valid());
  EXPECT_EQ(log_.count("not said is its own"), 1);
}

TEST_F(EngineStrangers, FewConnectionsDoNotUseUpTheDescriptors) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit usual = before;
  usual.rlim_cur = 1024;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
  const auto opened = static_cast<std::size_t>(open_descriptors());
  const DeadPort dead(kStranger);
  std::vector<std::unique_ptr<Stranger>> strangers;
  std::size_t given = 0;
  for (int i = 0; i < 4; ++i)
    for (const std::size_t nics : {4u, 1u}) {
      strangers.push_back(std::make_unique<Stranger>(kStranger, port_));
      const std::size_t channels = strangers.back()->meet(nics, 64, kStranger);
      if (channels == 0) {
        EXPECT_THAT(strangers.back()->refusal(), HasSubstr("HAWSER_PEER_DESCRIPTORS"));
      }
      for (std::uint32_t channel = 0; channel < channels; ++channel)
        strangers.back()->say(engine_wire::ChannelOffer{channel, 1, dead.handle()});
      given += channels;
    }
  EXPECT_EQ(given, 128u) << "two links of 64";
  for (const auto& stranger : strangers) stranger->all_said();
  expect_works(innocent_link());
  EXPECT_LT(static_cast<std::size_t>(open_descriptors()), opened + 1024 * 3 / 8 + 100);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

// What is not kept is asked for again.
TEST_F(EngineStrangers, SmallMessagesBeyondTheBudgetArriveAllTheSame) {
  const ScopedEnvironment least("HAWSER_LINK_PEER_BYTES", "33554432");
  acceptor_.reset();
  SetUp();
  const auto [near, far] = innocent_link();
  constexpr std::size_t kMessages = 5000;
  constexpr std::size_t kBytes = 4096;
  std::vector<std::byte> out(kMessages * kBytes);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(i / kBytes + i);
  std::vector<std::byte> in(out.size());
  const auto from = client_->register_memory(out.data(), out.size());
  const auto to = server_->register_memory(in.data(), in.size());
  ASSERT_TRUE(from.ok() && to.ok());
  std::vector<Transfer> sends;
  for (std::size_t i = 0; i < kMessages; ++i)
    sends.push_back(near.send(i, from->span(i * kBytes, kBytes)));
  near.notify("all sent").wait();
  EXPECT_TRUE(eventually([&] { return far.take_notification().has_value(); }));
  std::vector<Transfer> receives;
  for (std::size_t i = 0; i < kMessages; ++i)
    receives.push_back(far.recv(i, to->span(i * kBytes, kBytes)));
  for (const Transfer& receive : receives) {
    ASSERT_TRUE(receive.wait(kStrangerPatienceMs));
    ASSERT_TRUE(receive.result().ok()) << receive.result().error().message();
  }
  EXPECT_EQ(in, out);
  EXPECT_TRUE(far.up());
}

}  // namespace
}  // namespace hawser::test
