// Listen, connect and accept of libnccl-net-hawser.so, in every order that NCCL has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "support/nccl_plugin.h"

namespace hawser::test {
namespace {

constexpr int kConnections = 16;

class PluginConnect : public testing::Test {
 protected:
  void close(const PluginEnds& ends) {
    EXPECT_EQ(plugin()->closeSend(ends.send_comm), abi::kSuccess);
    EXPECT_EQ(plugin()->closeRecv(ends.receive_comm), abi::kSuccess);
  }
  const LoadedPlugin<abi::NetV12>& plugin() { return user_.plugin(); }
  void* context() { return user_.context(); }

  const PluginUser user_;
};

TEST_F(PluginConnect, ManyConnectionsAreMadeInAnyOrderByOneThread) {
  std::vector<PluginHandle> handles(kConnections);
  std::vector<void*> listening(kConnections);
  std::vector<PluginEnds> ends(kConnections);
  for (std::size_t i = 0; i < handles.size(); ++i)
    ASSERT_EQ(plugin()->listen(context(), 0, handles[i].bytes, &listening[i]), abi::kSuccess);
  std::mt19937 random(1);
  int made = 0;
  const Deadline deadline = Deadline::after(kPluginPatience);
  for (Backoff backoff; made < 2 * kConnections; backoff.idle()) {
    ASSERT_FALSE(deadline.expired()) << made;
    const std::size_t i = random() % handles.size();
    const bool connect = random() % 2 == 0;
    void*& comm = connect ? ends[i].send_comm : ends[i].receive_comm;
    if (comm != nullptr) continue;
    abi::DeviceHandle* device_handle = reinterpret_cast<abi::DeviceHandle*>(8);
    ASSERT_EQ(connect ? plugin()->connect(context(), 0, handles[i].bytes, &comm, &device_handle)
                      : plugin()->accept(listening[i], &comm, &device_handle),
              abi::kSuccess);
    EXPECT_EQ(device_handle, nullptr);
    if (comm == nullptr) continue;
    ++made;
    if (!connect) {
      EXPECT_EQ(plugin()->closeListen(listening[i]), abi::kSuccess);
    }
  }
  for (const PluginEnds& each : ends) close(each);
}

TEST_F(PluginConnect, AcceptMayBePolledLongBeforeAnybodyConnects) {
  PluginHandle handle;
  void* listening = nullptr;
  ASSERT_EQ(plugin()->listen(context(), 0, handle.bytes, &listening), abi::kSuccess);
  for (int i = 0; i < 100; ++i) {
    void* comm = reinterpret_cast<void*>(1);
    ASSERT_EQ(plugin()->accept(listening, &comm, nullptr), abi::kSuccess);
    ASSERT_EQ(comm, nullptr);
  }
  EXPECT_EQ(plugin()->closeListen(listening), abi::kSuccess);
}

TEST_F(PluginConnect, ConnectionsThatAreGivenUpDoNotMatter) {
  for (int i = 0; i < 200; ++i) {
    PluginHandle handle;
    void* listening = nullptr;
    void* comm = nullptr;
    ASSERT_EQ(plugin()->listen(context(), 0, handle.bytes, &listening), abi::kSuccess);
    ASSERT_EQ(plugin()->connect(context(), 0, handle.bytes, &comm, nullptr), abi::kSuccess);
    if (comm != nullptr) {
      EXPECT_EQ(plugin()->closeSend(comm), abi::kSuccess);
    }
    EXPECT_EQ(plugin()->closeListen(listening), abi::kSuccess);
  }
  close(connect_ends(user_));
}

TEST_F(PluginConnect, NobodyListeningIsARemoteError) {
  PluginHandle handle;
  void* listening = nullptr;
  ASSERT_EQ(plugin()->listen(context(), 0, handle.bytes, &listening), abi::kSuccess);
  ASSERT_EQ(plugin()->closeListen(listening), abi::kSuccess);
  int result = abi::kSuccess;
  const Deadline deadline = Deadline::after(kPluginPatience);
  for (Backoff backoff; result == abi::kSuccess && !deadline.expired(); backoff.idle()) {
    void* comm = nullptr;
    result = plugin()->connect(context(), 0, handle.bytes, &comm, nullptr);
    ASSERT_EQ(comm, nullptr);
  }
  EXPECT_EQ(result, abi::kRemoteError);
}

TEST_F(PluginConnect, AHandleThatIsNoneIsAnError) {
  std::mt19937 random(2);
  for (int i = 0; i < 100; ++i) {
    PluginHandle handle;
    for (std::byte& byte : handle.bytes) byte = static_cast<std::byte>(random());
    void* comm = nullptr;
    EXPECT_EQ(plugin()->connect(context(), 0, handle.bytes, &comm, nullptr), abi::kRemoteError);
    EXPECT_EQ(comm, nullptr);
  }
}

TEST_F(PluginConnect, MissingArgumentsAreInvalid) {
  PluginHandle handle;
  void* comm = nullptr;
  EXPECT_EQ(plugin()->listen(context(), 0, nullptr, &comm), abi::kInvalidArgument);
  EXPECT_EQ(plugin()->listen(context(), 0, handle.bytes, nullptr), abi::kInvalidArgument);
  EXPECT_EQ(plugin()->listen(nullptr, 0, handle.bytes, &comm), abi::kInvalidArgument);
  EXPECT_EQ(plugin()->listen(context(), 7, handle.bytes, &comm), abi::kInvalidArgument);
  EXPECT_EQ(plugin()->connect(context(), 0, nullptr, &comm, nullptr), abi::kInvalidArgument);
  EXPECT_EQ(plugin()->accept(nullptr, &comm, nullptr), abi::kInvalidArgument);
  EXPECT_EQ(plugin()->closeSend(nullptr), abi::kInvalidArgument);
  EXPECT_EQ(plugin()->closeRecv(nullptr), abi::kInvalidArgument);
  EXPECT_EQ(plugin()->closeListen(nullptr), abi::kInvalidArgument);
}

TEST_F(PluginConnect, EachFailureIsOneLine) {
  take_plugin_log();
  void* comm = nullptr;
  PluginHandle handle;
  EXPECT_EQ(plugin()->listen(context(), 7, handle.bytes, &comm), abi::kInvalidArgument);
  const auto lines = take_plugin_log();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], testing::HasSubstr("NET/hawser: listen failed: no device 7"));
}

}  // namespace
}  // namespace hawser::test
