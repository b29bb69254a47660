// Devices, and how connections come about.
#include <set>
#include <thread>

#include "conformance/fixture.h"

namespace hawser::test {
namespace {

constexpr int kEarlyPolls = 50;
constexpr int kChannels = 8;

TEST_P(NetConformance, DevicesAreSane) {
  EXPECT_FALSE(net().name().empty());
  EXPECT_FALSE(net().description().empty());
  std::set<std::string> names;
  for (std::size_t i = 0; i < net().devices().size(); ++i) {
    const NetDevice& device = net().devices()[i];
    EXPECT_FALSE(device.name.empty());
    EXPECT_TRUE(names.insert(device.name).second) << device.name << " is there twice";
    EXPECT_GT(device.speed_mbps, 0);
    EXPECT_GE(device.max_receives, 1);
    EXPECT_GE(device.capabilities.max_requests, 1);
    EXPECT_GE(device.capabilities.max_request_bytes, kPageBytes);
    EXPECT_TRUE(device.capabilities.host_pointers || device.capabilities.cuda_pointers);
    const auto found = find_device(net(), device.name);
    ASSERT_OK(found);
    EXPECT_EQ(*found, static_cast<int>(i));
  }
}

TEST_P(NetConformance, ADeviceOutOfRangeIsAnError) {
  const int beyond = static_cast<int>(net().devices().size());
  for (const int device : {-1, beyond, beyond + 1000}) {
    EXPECT_FALSE(net().listen(device).ok()) << device;
    EXPECT_FALSE(net().connect(device, Handle{}).ok()) << device;
  }
}

TEST_P(NetConformance, NothingIsAcceptedBeforeSomebodyConnects) {
  const auto listener = net().listen(device());
  ASSERT_OK(listener);
  for (int i = 0; i < kEarlyPolls; ++i) {
    const auto comm = (*listener)->try_accept();
    ASSERT_OK(comm);
    ASSERT_EQ(*comm, nullptr);
  }
  const auto connector = net().connect(device(), (*listener)->handle());
  ASSERT_OK(connector);
  std::thread connecting([&] { EXPECT_OK(wait_connected(**connector, patience())); });
  EXPECT_OK(wait_accepted(**listener, patience()));
  connecting.join();
}

TEST_P(NetConformance, ConnectingMayBeginLongBeforeAccepting) {
  const auto listener = net().listen(device());
  ASSERT_OK(listener);
  const auto connector = net().connect(device(), (*listener)->handle());
  ASSERT_OK(connector);
  NetPair pair;
  for (int i = 0; i < kEarlyPolls && !pair.sender; ++i) {
    auto comm = (*connector)->try_connect();
    ASSERT_OK(comm);
    pair.sender = std::move(*comm);
  }
  std::thread accepting([&] {
    auto comm = wait_accepted(**listener, patience());
    EXPECT_OK(comm);
    if (comm.ok()) pair.receiver = std::move(*comm);
  });
  if (!pair.sender) {
    auto comm = wait_connected(**connector, patience());
    EXPECT_OK(comm);
    if (comm.ok()) pair.sender = std::move(*comm);
  }
  accepting.join();
  ASSERT_TRUE(pair.sender && pair.receiver);
  Channel channel(std::move(pair), capabilities(), kPageBytes, gpu());
  send_and_check(channel, 1000, 1);
}

TEST_P(NetConformance, TheCommsOutliveListenerAndConnector) {
  const auto channel = make_channel(kPageBytes);  // which destroys both
  ASSERT_NE(channel, nullptr);
  send_and_check(*channel, kPageBytes, 2);
}

TEST_P(NetConformance, AListenerNobodyConnectsToCanGo) {
  for (int i = 0; i < 3; ++i) EXPECT_OK(net().listen(device()));
}

TEST_P(NetConformance, EightChannelsAreMadeConcurrently) {
  std::vector<std::unique_ptr<Channel>> channels(kChannels);
  std::vector<std::thread> threads;
  for (auto& channel : channels) threads.emplace_back([&] { channel = make_channel(64 * 1024); });
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < channels.size(); ++i) {
    ASSERT_NE(channels[i], nullptr);
    send_and_check(*channels[i], request_bytes(64 * 1024), i);
  }
}

TEST_P(NetConformance, EightChannelsAreMadeInterleavedByOneThread) {
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::unique_ptr<Connector>> connectors;
  for (int i = 0; i < kChannels; ++i) {
    auto listener = net().listen(device());
    ASSERT_OK(listener);
    listeners.push_back(std::move(*listener));
  }
  for (const auto& listener : listeners) {
    auto connector = net().connect(device(), listener->handle());
    ASSERT_OK(connector);
    connectors.push_back(std::move(*connector));
  }
  std::vector<NetPair> pairs(kChannels);
  int ends = 0;
  const Deadline deadline = patience();
  for (Backoff backoff; ends < 2 * kChannels; backoff.idle()) {
    ASSERT_FALSE(deadline.expired()) << ends << " ends are connected";
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (!pairs[i].receiver) {
        auto comm = listeners[i]->try_accept();
        ASSERT_OK(comm);
        if ((pairs[i].receiver = std::move(*comm))) ++ends;
      }
      if (!pairs[i].sender) {
        auto comm = connectors[i]->try_connect();
        ASSERT_OK(comm);
        if ((pairs[i].sender = std::move(*comm))) ++ends;
      }
    }
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    Channel channel(std::move(pairs[i]), capabilities(), kPageBytes, gpu());
    send_and_check(channel, 4000, 100 + i);
  }
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Nets, NetConformance, testing::ValuesIn(nets_under_test()),
                         [](const auto& test) { return test.param.name; });

}  // namespace hawser::test
