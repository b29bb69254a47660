// Peers of libnccl-net-hawser.so that speak the transport's protocol, and not the plugin's.
#include <gtest/gtest.h>

#include <cstring>
#include <iostream>
#include <random>

#include "base/endian.h"
#include "net/tcp/tcp_net.h"
#include "support/guarded_buffer.h"
#include "support/nccl_plugin.h"
#include "support/net_pair.h"

namespace hawser::test {
namespace {

constexpr std::size_t kPreambleBytes = 144;
constexpr std::uint32_t kPreambleMagic = 0x504e5748;

// Sends what it likes to a comm that the plugin has accepted.
class PluginStranger : public testing::Test {
 protected:
  void SetUp() override {
    TcpOptions options;
    options.interfaces.names = "=lo";
    auto net = make_tcp_net(options);
    ASSERT_TRUE(net.ok());
    net_ = std::move(*net);
    PluginHandle handle;
    void* listening = nullptr;
    ASSERT_EQ(plugin()->listen(user_.context(), 0, handle.bytes, &listening), abi::kSuccess);
    Handle for_net;
    std::memcpy(for_net.data(), handle.bytes, for_net.size());
    auto connector = net_->connect(0, for_net);
    ASSERT_TRUE(connector.ok());
    connect(**connector, listening);
    EXPECT_EQ(plugin()->closeListen(listening), abi::kSuccess);
    ASSERT_TRUE(sender_ != nullptr && receiver_ != nullptr);
    ASSERT_EQ(
        plugin()->regMr(receiver_, memory_.data(), memory_.size(), abi::kHostPointer, &mhandle_),
        abi::kSuccess);
  }
  void TearDown() override {
    if (receiver_ == nullptr) return;
    EXPECT_EQ(plugin()->deregMr(receiver_, mhandle_), abi::kSuccess);
    EXPECT_EQ(plugin()->closeRecv(receiver_), abi::kSuccess);
  }

  const LoadedPlugin<abi::NetV12>& plugin() { return user_.plugin(); }

  void send(std::span<const std::byte> message) {
    sent_.assign(message.begin(), message.end());
    const auto registration =
        sender_->register_memory({sent_.data(), sent_.size(), MemoryKind::host, -1});
    ASSERT_TRUE(registration.ok());
    const auto request = sender_->try_send(sent_.data(), sent_.size(), 0, *registration);
    ASSERT_TRUE(request.ok() && *request != nullptr);
    const Deadline deadline = Deadline::after(kPluginPatience);
    for (Backoff backoff;; backoff.idle()) {
      const auto result = sender_->test(*request);
      ASSERT_TRUE(result.ok() && !deadline.expired());
      if (result->done) break;
    }
    ASSERT_TRUE(sender_->deregister(*registration).ok());
  }

  int result_of_a_receive(int buffers) {
    void* data[2] = {memory_.data(), memory_.data() + 64};
    std::size_t sizes[2] = {64, 64};
    int tags[2] = {1, 2};
    void* mhandles[2] = {mhandle_, mhandle_};
    void* profile[2] = {};
    void* request = nullptr;
    int result =
        plugin()->irecv(receiver_, buffers, data, sizes, tags, mhandles, profile, &request);
    const Deadline deadline = Deadline::after(kPluginPatience);
    for (Backoff backoff; result == abi::kSuccess && !deadline.expired(); backoff.idle()) {
      int done = 0;
      result = plugin()->test(request, &done, nullptr);
      if (done != 0) break;
    }
    return result;
  }

  const PluginUser user_;

 private:
  void connect(Connector& connector, void* listening) {
    const Deadline deadline = Deadline::after(kPluginPatience);
    for (Backoff backoff; !deadline.expired() && (!sender_ || !receiver_); backoff.idle()) {
      if (sender_ == nullptr) {
        auto comm = connector.try_connect();
        ASSERT_TRUE(comm.ok());
        sender_ = std::move(*comm);
      }
      if (receiver_ == nullptr) {
        ASSERT_EQ(plugin()->accept(listening, &receiver_, nullptr), abi::kSuccess);
      }
    }
  }

  std::unique_ptr<Net> net_;
  std::vector<std::byte> memory_ = std::vector<std::byte>(4096);
  std::vector<std::byte> sent_;
  std::unique_ptr<SendComm> sender_;
  void* receiver_ = nullptr;
  void* mhandle_ = nullptr;
};

TEST_F(PluginStranger, RandomBytesInsteadOfAPreambleFailTheComm) {
  const std::uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << std::endl;
  std::vector<std::byte> message(kPreambleBytes);
  fill_pattern(message, seed);
  send(message);
  EXPECT_EQ(result_of_a_receive(1), abi::kRemoteError);
}

TEST_F(PluginStranger, APreambleThatIsTooShortFailsTheComm) {
  send(std::vector<std::byte>(10));
  EXPECT_EQ(result_of_a_receive(1), abi::kRemoteError);
}

TEST_F(PluginStranger, APreambleThatIsTooLongFailsTheComm) {
  send(std::vector<std::byte>(kPreambleBytes + 1));
  EXPECT_EQ(result_of_a_receive(1), abi::kRemoteError);
}

TEST_F(PluginStranger, ABackChannelToNowhereFailsTheComm) {
  std::vector<std::byte> preamble(kPreambleBytes);
  store_le<std::uint32_t>(&preamble[0], kPreambleMagic);
  store_le<std::uint32_t>(&preamble[4], 1);
  send(preamble);  // its handle is all zero
  EXPECT_EQ(result_of_a_receive(2), abi::kRemoteError);
}

}  // namespace
}  // namespace hawser::test
