// The emulated TCPX's rules about listen, connect, accept and close; and strangers.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <thread>

#include "base/fd.h"
#include "emu_support.h"
#include "support/ports.h"

namespace hawser::emu_test {
namespace {

using HandleBuffer = std::array<std::byte, emu::kHandleBytes>;

// The port in a handle: see HandleBytes in tests/emu/wire.h.
std::uint16_t port_of(const HandleBuffer& handle) {
  std::uint16_t port = 0;
  std::memcpy(&port, handle.data() + 26, sizeof port);
  return port;
}

UniqueFd stranger(std::uint16_t port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  return fd;
}

struct EmuSetup : ::testing::Test {
  Plugin plugin;
  Pair pair{plugin};

  void expect_violation(int result, const char* part) {
    EXPECT_EQ(result, emu::kInternalError);
    EXPECT_NE(std::string(plugin.stats().last_violation).find(part), std::string::npos)
        << plugin.stats().last_violation;
  }
  int connect_with(void* handle) {
    void* comm = nullptr;
    return plugin->connect(pair.device_, handle, &comm, nullptr);
  }
  int accept() {
    emu::DeviceHandle* out = &pair.device_handle;
    void* comm = nullptr;
    return plugin->accept(pair.listen_comm, &comm, &out);
  }
};

TEST_F(EmuSetup, ConnectAndAcceptSayNullAtFirst) {
  pair.listen();
  ASSERT_TRUE(pair.connect_step());
  EXPECT_EQ(pair.send_comm, nullptr);
  EXPECT_EQ(pair.receive_comm, nullptr);
  ASSERT_TRUE(pair.connect());
  EXPECT_EQ(plugin.stats().violations, 0U);
}

TEST_F(EmuSetup, AcceptSaysNullFirstEvenWhenTheHelloIsThere) {
  pair.listen();
  ASSERT_EQ(connect_with(pair.handle.data()), 0);
  ASSERT_EQ(connect_with(pair.handle.data()), 0);  // connected
  ASSERT_EQ(connect_with(pair.handle.data()), 0);  // said hello
  ASSERT_EQ(accept(), 0);
  EXPECT_EQ(plugin.stats().receive_comms_alive, 0U);
}

TEST_F(EmuSetup, ConnectIsNotThroughBeforeAccept) {
  pair.listen();
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(connect_with(pair.handle.data()), 0);
    ASSERT_EQ(plugin.stats().send_comms_alive, 0U);
  }
}

TEST_F(EmuSetup, HandleUses88BytesOf128) {
  pair.handle.fill(std::byte{0x11});
  pair.listen();
  for (std::size_t i = 88; i < pair.handle.size(); ++i) EXPECT_EQ(pair.handle[i], std::byte{0x11});
  EXPECT_NE(pair.handle[87], std::byte{0x11});
}

TEST_F(EmuSetup, DeviceHandleIsTheUnpackContract) {
  ASSERT_TRUE(pair.connect());
  EXPECT_EQ(pair.device_handle.type, 1);
  EXPECT_EQ(pair.device_handle.version, 7);
  EXPECT_EQ(pair.device_handle.bytes, 24U);
  EXPECT_EQ(pair.device_handle.needs_proxy_progress, 1);
  EXPECT_NE(pair.unpack_handle().meta, nullptr);
  EXPECT_NE(pair.unpack_handle().bounce, nullptr);
  EXPECT_EQ(pair.unpack_handle().head, 0U);
}

TEST_F(EmuSetup, ConnectWithAnotherBufferIsNoticed) {
  pair.listen();
  ASSERT_EQ(connect_with(pair.handle.data()), 0);
  HandleBuffer moved = pair.handle;
  expect_violation(connect_with(moved.data()), "another handle buffer");
}

TEST_F(EmuSetup, ConnectWithAFreshCopyInTheSameBufferIsNoticed) {
  pair.listen();
  const HandleBuffer fresh = pair.handle;
  ASSERT_EQ(connect_with(pair.handle.data()), 0);
  pair.handle = fresh;
  expect_violation(connect_with(pair.handle.data()), "fresh copy");
}

TEST_F(EmuSetup, ConnectAfterSuccessIsNoticed) {
  pair.listen();
  HandleBuffer fresh = pair.handle;
  ASSERT_TRUE(pair.connect());
  expect_violation(connect_with(pair.handle.data()), "after it succeeded");
  expect_violation(connect_with(fresh.data()), "after it succeeded");
}

TEST_F(EmuSetup, ASecondAcceptIsNoticed) {
  ASSERT_TRUE(pair.connect());
  expect_violation(accept(), "second accept");
}

TEST_F(EmuSetup, AcceptWantsRoomForTheDeviceHandle) {
  pair.listen();
  void* comm = nullptr;
  emu::DeviceHandle* nowhere = nullptr;
  expect_violation(plugin->accept(pair.listen_comm, &comm, nullptr), "32 bytes");
  expect_violation(plugin->accept(pair.listen_comm, &comm, &nowhere), "32 bytes");
}

TEST_F(EmuSetup, CloseListenInTheMiddleOfAnAcceptIsNoticed) {
  pair.listen();
  ASSERT_EQ(accept(), 0);
  expect_violation(plugin->close_listen(pair.listen_comm), "before accept has finished");
  pair.listen_comm = nullptr;
}

TEST_F(EmuSetup, CloseListenWithoutAnyAcceptIsFine) {
  pair.listen();
  EXPECT_EQ(plugin->close_listen(std::exchange(pair.listen_comm, nullptr)), 0);
  EXPECT_EQ(plugin.stats().violations, 0U);
}

TEST_F(EmuSetup, TheReceiveCommSurvivesItsListener) {
  ASSERT_TRUE(pair.connect());
  ASSERT_EQ(plugin->close_listen(std::exchange(pair.listen_comm, nullptr)), 0);
  void* sending = nullptr;
  void* receiving = nullptr;
  ASSERT_EQ(pair.send(pair.source.data(), 100, &sending), 0);
  ASSERT_EQ(pair.receive(pair.destination.data(), 100, &receiving), 0);
  EXPECT_EQ(pair.finish(sending, receiving), 0);
  EXPECT_EQ(pair.consume(receiving), 0);
}

TEST_F(EmuSetup, CommsThatAreNotLiveAreNoticed) {
  ASSERT_TRUE(pair.connect());
  void* const sender = pair.send_comm;
  void* const receiver = pair.receive_comm;
  void* const listener = pair.listen_comm;
  expect_violation(plugin->close_send(receiver), "no live send comm");
  expect_violation(plugin->close_receive(sender), "no live receive comm");
  pair.close();
  expect_violation(plugin->close_send(sender), "no live send comm");
  expect_violation(plugin->close_receive(receiver), "no live receive comm");
  expect_violation(plugin->close_listen(listener), "no live listen comm");
  expect_violation(plugin->close_listen(nullptr), "no live listen comm");
  int local = 0;
  expect_violation(plugin->close_send(&local), "no live send comm");
}

TEST_F(EmuSetup, AHandleThatIsNoneOfOursIsRefused) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 1000; ++i) {
    HandleBuffer garbage;
    for (std::byte& byte : garbage) byte = static_cast<std::byte>(random());
    EXPECT_NE(connect_with(garbage.data()), emu::kSuccess);
  }
}

TEST_F(EmuSetup, StrangersAreDroppedAndThePeerStillConnects) {
  pair.listen();
  std::vector<UniqueFd> strangers;
  const std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  for (int i = 0; i < 3; ++i) {
    strangers.push_back(stranger(port_of(pair.handle)));
    ASSERT_EQ(send(strangers.back().get(), request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
  }
  for (int i = 0; i < 12; ++i) strangers.push_back(stranger(port_of(pair.handle)));  // say nothing
  EXPECT_TRUE(pair.connect());
  EXPECT_GE(plugin.stats().bad_peers, 3U);
  EXPECT_EQ(plugin.stats().violations, 0U);
}

TEST_F(EmuSetup, ARefusedConnectIsTriedAgain) {
  pair.listen();
  HandleBuffer handle = pair.handle;
  ASSERT_EQ(plugin->close_listen(std::exchange(pair.listen_comm, nullptr)), 0);
  for (int i = 0; i < 50; ++i) ASSERT_EQ(connect_with(handle.data()), 0);
  EXPECT_EQ(plugin.stats().send_comms_alive, 0U);
  EXPECT_EQ(plugin.stats().violations, 0U);
}

TEST_F(EmuSetup, AListenerThatGoesAwayIsASystemError) {
  pair.listen();
  ASSERT_EQ(connect_with(pair.handle.data()), 0);
  ASSERT_EQ(connect_with(pair.handle.data()), 0);
  ASSERT_EQ(plugin->close_listen(std::exchange(pair.listen_comm, nullptr)), 0);
  int result = 0;
  ASSERT_TRUE(eventually([&] { return (result = connect_with(pair.handle.data())) != 0; }));
  EXPECT_EQ(result, emu::kSystemError);
  EXPECT_EQ(connect_with(pair.handle.data()), emu::kSystemError);
}

TEST_F(EmuSetup, ChannelIsTheOrderOfListenOrTheThreadsName) {
  std::array<HandleBuffer, 3> handles{};
  void* comm = nullptr;
  const auto channel_of = [](const HandleBuffer& handle) {
    std::int32_t channel = -1;
    std::memcpy(&channel, handle.data() + 16, sizeof channel);
    return channel;
  };
  ASSERT_EQ(plugin->listen(pair.device_, handles[0].data(), &comm), 0);
  std::thread([&] {
    pthread_setname_np(pthread_self(), "hw-ch7");
    ASSERT_EQ(plugin->listen(pair.device_, handles[1].data(), &comm), 0);
  }).join();
  ASSERT_EQ(plugin->listen(pair.device_, handles[2].data(), &comm), 0);
  EXPECT_EQ(channel_of(handles[0]), 0);
  EXPECT_EQ(channel_of(handles[1]), 7);
  EXPECT_EQ(channel_of(handles[2]), 1);
}

TEST_F(EmuSetup, StatsFollowWhatIsAlive) {
  ASSERT_TRUE(pair.connect());
  HawserEmuStats stats = plugin.stats();
  EXPECT_EQ(stats.listen_comms_alive, 1U);
  EXPECT_EQ(stats.send_comms_alive, 1U);
  EXPECT_EQ(stats.receive_comms_alive, 1U);
  EXPECT_EQ(stats.registrations_alive, 2U);
  EXPECT_EQ(stats.registrations_made, 2U);
  EXPECT_GE(stats.calls[HAWSER_EMU_CONNECT], 2U);
  EXPECT_EQ(stats.calls[HAWSER_EMU_REG_MR], 2U);
  pair.close();
  stats = plugin.stats();
  EXPECT_EQ(stats.listen_comms_alive + stats.send_comms_alive + stats.receive_comms_alive, 0U);
  EXPECT_EQ(stats.registrations_alive, 0U);
  EXPECT_EQ(stats.violations, 0U);
}

}  // namespace
}  // namespace hawser::emu_test
