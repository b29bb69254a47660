// The simulated plugins of tests/plugins, one per ABI version, loaded and driven as any other.

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/hosted/hosting.h"
#include "support/built.h"

namespace hawser {
namespace {

constexpr std::size_t kBytes = std::size_t{1} << 20;

std::string loopback_path(const std::string& suffix) {
  return test::built("tests/plugins/libnccl-net-loopback-") + suffix + ".so";
}

Result<std::unique_ptr<Net>> load_loopback(const std::string& suffix) {
  PluginOptions options;
  options.choice = {loopback_path(suffix), "a test", false};
  return load_plugin(options);
}

// Polls `step` (a Result of something that is empty while it is too early) until it gives
// something.
template <class Step>
auto poll_for(Step&& step) -> decltype(step()) {
  const Deadline deadline = Deadline::after(Milliseconds(20000));
  Backoff backoff;
  while (true) {
    auto outcome = step();
    if (!outcome.ok() || *outcome) return outcome;
    if (deadline.expired()) return Error(Code::timeout, "the test waited too long");
    backoff.idle();
  }
}

// Both ends of one connection, in one process.
struct LoopbackPair {
  std::unique_ptr<SendComm> sender;
  std::unique_ptr<ReceiveComm> receiver;
};

Result<LoopbackPair> connect_loopback(Net& net, int device) {
  HAWSER_ASSIGN(auto listener, net.listen(device));
  HAWSER_ASSIGN(auto connector, net.connect(device, listener->handle()));
  LoopbackPair pair;
  HAWSER_ASSIGN(pair.sender, poll_for([&] { return connector->try_connect(); }));
  HAWSER_ASSIGN(pair.receiver, poll_for([&] { return listener->try_accept(); }));
  return pair;
}

Result<TestResult> finish_request(Comm& comm, Request* request) {
  const Deadline deadline = Deadline::after(Milliseconds(20000));
  Backoff backoff;
  while (true) {
    HAWSER_ASSIGN(const TestResult result, comm.test(request));
    if (result.done) return result;
    if (deadline.expired()) return Error(Code::timeout, "the test waited too long");
    backoff.idle();
  }
}

std::vector<std::byte> pattern(std::size_t bytes, unsigned seed) {
  std::vector<std::byte> made(bytes);
  for (std::size_t i = 0; i < bytes; ++i) made[i] = static_cast<std::byte>((i * 131 + seed) >> 3);
  return made;
}

// Registered memory of one side.
struct Side {
  std::vector<std::byte> memory;
  Registration* registration = nullptr;
  void enter(Comm& comm) {
    auto made = comm.register_memory({memory.data(), memory.size(), MemoryKind::host, -1});
    ASSERT_TRUE(made.ok()) << made.error().message();
    registration = *made;
  }
};

class NetLoopbackPlugin : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto loaded = load_loopback(GetParam());
    ASSERT_TRUE(loaded.ok()) << loaded.error().message();
    net_ = std::move(*loaded);
  }
  std::unique_ptr<Net> net_;
};

INSTANTIATE_TEST_SUITE_P(Versions, NetLoopbackPlugin,
                         testing::Values("v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12",
                                         "v12-bare", "v8v9"),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(NetLoopbackPlugin, TellsItsDevicesThroughItsOwnStruct) {
  ASSERT_EQ(net_->devices().size(), 2u);
  const NetDevice& device = net_->devices()[1];
  EXPECT_EQ(device.name, "sim1");
  EXPECT_EQ(device.pci_path, "");
  EXPECT_EQ(device.guid, 101u);
  EXPECT_EQ(device.speed_mbps, 10000);
  EXPECT_EQ(device.port, 7);
  EXPECT_EQ(device.latency_us, 1.5f);
  EXPECT_EQ(device.max_comms, 1024);
  EXPECT_EQ(device.max_receives, 1);
  EXPECT_EQ(device.devmem, Devmem::none);
  EXPECT_TRUE(device.capabilities.host_pointers);
  EXPECT_FALSE(device.capabilities.cuda_pointers);
  EXPECT_EQ(device.capabilities.max_requests, 32);
  EXPECT_TRUE(device.capabilities.oldest_first);
  EXPECT_FALSE(device.capabilities.needs_unpack);
  EXPECT_TRUE(device.capabilities.reports_received_bytes);
}

TEST_P(NetLoopbackPlugin, MovesMessagesInOrder) {
  for (int device = 0; device < 2; ++device) {
    auto pair = connect_loopback(*net_, device);
    ASSERT_TRUE(pair.ok()) << pair.error().message();
    Side out{pattern(kBytes, 1)};
    Side in{std::vector<std::byte>(kBytes)};
    ASSERT_NO_FATAL_FAILURE(out.enter(*pair->sender));
    ASSERT_NO_FATAL_FAILURE(in.enter(*pair->receiver));
    const std::size_t sizes[] = {1, 0, 4096, 70000, 3};
    std::vector<Request*> sends, receives;
    std::size_t at = 0;
    for (std::size_t bytes : sizes) {
      auto receive = poll_for([&] {
        return pair->receiver->try_receive(&in.memory[at], bytes + 5, 0, in.registration);
      });
      auto send = poll_for(
          [&] { return pair->sender->try_send(&out.memory[at], bytes, 0, out.registration); });
      ASSERT_TRUE(receive.ok()) << receive.error().message();
      ASSERT_TRUE(send.ok()) << send.error().message();
      receives.push_back(*receive);
      sends.push_back(*send);
      at += bytes + 5;
    }
    for (std::size_t i = 0; i < sends.size(); ++i) {
      ASSERT_TRUE(finish_request(*pair->sender, sends[i]).ok());
      const auto received = finish_request(*pair->receiver, receives[i]);
      ASSERT_TRUE(received.ok()) << received.error().message();
      EXPECT_EQ(received->bytes, sizes[i]);
    }
    at = 0;
    for (std::size_t bytes : sizes) {
      EXPECT_EQ(std::memcmp(&in.memory[at], &out.memory[at], bytes), 0);
      at += bytes + 5;
    }
    EXPECT_TRUE(pair->sender->deregister(out.registration).ok());
    EXPECT_TRUE(pair->receiver->deregister(in.registration).ok());
  }
}

TEST_P(NetLoopbackPlugin, LoadsAgainInTheSameProcess) {
  auto again = load_loopback(GetParam());
  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_EQ((*again)->name(), net_->name());
  auto pair = connect_loopback(**again, 0);
  EXPECT_TRUE(pair.ok()) << pair.error().message();
}

TEST_P(NetLoopbackPlugin, ADeadPeerIsAPeerError) {
  auto pair = connect_loopback(*net_, 0);
  ASSERT_TRUE(pair.ok()) << pair.error().message();
  Side in{std::vector<std::byte>(64)};
  ASSERT_NO_FATAL_FAILURE(in.enter(*pair->receiver));
  auto receive = poll_for(
      [&] { return pair->receiver->try_receive(in.memory.data(), 64, 0, in.registration); });
  ASSERT_TRUE(receive.ok());
  pair->sender.reset();
  const auto outcome = finish_request(*pair->receiver, *receive);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), Code::peer);
  EXPECT_TRUE(pair->receiver->deregister(in.registration).ok());
}

TEST_P(NetLoopbackPlugin, ABoundPortWithNobodyRefuses) {
  Handle handle{};
  {
    auto listener = net_->listen(0);
    ASSERT_TRUE(listener.ok());
    handle = (*listener)->handle();
  }
  auto connector = net_->connect(0, handle);
  ASSERT_TRUE(connector.ok());
  const auto outcome = poll_for([&] { return (*connector)->try_connect(); });
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code(), Code::peer);
  EXPECT_EQ(outcome.error().message(),
            net_->name() + ": connect() on device 0 failed: 6 (remote error)");
  EXPECT_EQ((*connector)->try_connect().error().code(), Code::internal);
}

TEST(NetLoopbackPlugins, TheHighestOfSeveralVersionsIsTaken) {
  auto net = load_loopback("v8v9");
  ASSERT_TRUE(net.ok()) << net.error().message();
  EXPECT_EQ((*net)->name(), "Simulated loopback v9");
  EXPECT_EQ((*net)->devices()[0].capabilities.max_request_bytes, std::size_t{64} << 20);
}

TEST(NetLoopbackPlugins, OneRegistrationServesADeviceOnlyWhereTheVersionCanSaySo) {
  for (const char* version : {"v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12"}) {
    auto net = load_loopback(version);
    ASSERT_TRUE(net.ok()) << net.error().message();
    const bool can_say_so = std::string(version) != "v5" && std::string(version) != "v6" &&
                            std::string(version) != "v7";
    EXPECT_FALSE((*net)->devices()[0].capabilities.registration_per_device) << version;
    EXPECT_EQ((*net)->devices()[1].capabilities.registration_per_device, can_say_so) << version;
  }
}

}  // namespace
}  // namespace hawser
