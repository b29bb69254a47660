// A plugin whose sockets are steered to a GPU's bounce pool: what a host must do for it, over the
// emulated TCPX and a simulated GPU.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "cudasim/drivers.h"
#include "memory/buffer.h"
#include "net/hosted/hosting.h"
#include "support/built.h"
#include "support/net_flow.h"
#include "support/net_pair.h"
#include "support/scoped_env.h"

namespace hawser {
namespace {

using testing::HasSubstr;

constexpr std::size_t kMost = kUnpackRequestBytes;

std::vector<std::byte> some_bytes(std::size_t bytes, unsigned seed) {
  std::vector<std::byte> made(bytes);
  for (std::size_t i = 0; i < bytes; ++i) made[i] = static_cast<std::byte>((i * 7 + seed) % 251);
  return made;
}

class NetHostedSteered : public testing::Test {
 protected:
  void SetUp() override {
    const auto driver = load_cudasim();
    ASSERT_TRUE(driver.ok()) << driver.error().message();
    for (int ordinal = 0; ordinal < kSimulatedGpus; ++ordinal) {
      auto gpu = Gpu::open(*driver, ordinal);
      ASSERT_TRUE(gpu.ok()) << gpu.error().message();
      gpus_.push_back(*gpu);
    }
    PluginOptions options;
    options.choice = {test::built("tests/emu/libnccl-net-tcpx-emu.so"), "a test", false};
    options.gpu = gpus_[0];
    auto net = load_plugin(options);
    ASSERT_TRUE(net.ok()) << net.error().message();
    net_ = std::move(*net);
  }

  const NetCapabilities& capabilities() const { return net_->devices()[0].capabilities; }

  // Both ends for that GPU.
  Result<test::NetPair> connect(const std::shared_ptr<Gpu>& gpu) {
    HAWSER_ASSIGN(const auto listener, net_->listen({0, gpu}));
    HAWSER_ASSIGN(const auto connector, net_->connect({0, gpu}, listener->handle()));
    test::NetPair pair;
    const Deadline deadline = test::soon();
    for (Backoff backoff; pair.sender == nullptr || pair.receiver == nullptr; backoff.idle()) {
      if (deadline.expired()) return Error(Code::timeout, "no connection");
      if (pair.sender == nullptr) {
        HAWSER_ASSIGN(pair.sender, connector->try_connect());
      }
      if (pair.receiver == nullptr) {
        HAWSER_ASSIGN(pair.receiver, listener->try_accept());
      }
    }
    return pair;
  }

  // From that memory into unregistered host memory; what came.
  std::vector<std::byte> transfer(test::NetPair& pair, const std::shared_ptr<Gpu>& gpu,
                                  const MemoryRange& from) {
    std::vector<std::byte> to(from.bytes);
    test::SendFlow send(*pair.sender, capabilities());
    test::ReceiveFlow receive(*pair.receiver, capabilities(), gpu);
    auto registration = pair.sender->register_memory(from);
    EXPECT_TRUE(registration.ok()) << registration.error().message();
    if (!registration.ok()) return {};
    EXPECT_TRUE(*receive.post(to.data(), to.size(), 0, nullptr));
    EXPECT_TRUE(*send.post(from.data, from.bytes, 0, *registration));
    const Status drained = test::drain(send, receive, test::soon());
    EXPECT_TRUE(drained.ok()) << drained.error().message();
    EXPECT_TRUE(pair.sender->deregister(*registration).ok());
    return to;
  }

  const std::string driver_ = cudasim_path();
  test::ScopedEnvironment library_{"HAWSER_CUDA_LIBRARY", driver_.c_str()};
  test::ScopedEnvironment interface_{"NCCL_GPUDIRECTTCPX_SOCKET_IFNAME", "=lo"};
  std::vector<std::shared_ptr<Gpu>> gpus_;
  std::unique_ptr<Net> net_;
};

TEST_F(NetHostedSteered, SaysWhatItWants) {
  EXPECT_TRUE(capabilities().receives_unregistered);
  EXPECT_TRUE(capabilities().registers_whole_pages);
  EXPECT_TRUE(capabilities().comms_of_a_gpu);
  EXPECT_TRUE(capabilities().one_creation_at_a_time);
}

TEST_F(NetHostedSteered, HostMemoryIsReceivedIntoThroughThePool) {
  auto pair = connect(gpus_[0]);
  ASSERT_TRUE(pair.ok()) << pair.error().message();
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{40}, std::size_t{4097}, kMost}) {
    SCOPED_TRACE(bytes);
    auto from = some_bytes(bytes, 3);
    EXPECT_EQ(transfer(*pair, gpus_[0], {from.data(), bytes}), from);
  }
}

TEST_F(NetHostedSteered, GpuMemoryOfAnySizeIsSent) {
  auto pair = connect(gpus_[0]);
  ASSERT_TRUE(pair.ok()) << pair.error().message();
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{4097}, kMost - 3, kMost}) {
    SCOPED_TRACE(bytes);
    auto buffer = Buffer::cuda(gpus_[0], bytes);
    ASSERT_TRUE(buffer.ok());
    const auto from = some_bytes(bytes, 5);
    ASSERT_TRUE(buffer->write(0, from).ok());
    EXPECT_EQ(transfer(*pair, gpus_[0], buffer->range()), from);
  }
}

TEST_F(NetHostedSteered, MemoryThatIsNotInWholePagesIsUnavailableAndTheConnectionGoesOn) {
  auto pair = connect(gpus_[0]);
  ASSERT_TRUE(pair.ok()) << pair.error().message();
  auto memory = gpus_[0]->allocate(64 * 1024);
  ASSERT_TRUE(memory.ok());
  const auto start = reinterpret_cast<std::uintptr_t>(*memory);
  const std::size_t to_page = (kPageBytes - start % kPageBytes) % kPageBytes;
  // The simulated driver starts allocations inside of pages, as the real one does.
  ASSERT_NE(to_page, 0U);
  const auto refused = pair->sender->register_memory({*memory, 100, MemoryKind::cuda, 0});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::unavailable);
  EXPECT_THAT(refused.error().message(), HasSubstr("whole pages"));
  const MemoryRange beyond{*memory, 64 * 1024 + 1, MemoryKind::cuda, 0};
  EXPECT_EQ(pair->sender->register_memory(beyond).error().code(), Code::unavailable);
  auto from = some_bytes(100, 1);
  EXPECT_EQ(transfer(*pair, gpus_[0], {from.data(), from.size()}), from);
  EXPECT_TRUE(gpus_[0]->free(*memory).ok());
}

TEST_F(NetHostedSteered, EachConnectionHasThePoolOfItsGpu) {
  for (const auto& gpu : gpus_) {
    auto pair = connect(gpu);
    ASSERT_TRUE(pair.ok()) << pair.error().message();
    EXPECT_EQ(pair->receiver->bounce_kind(), MemoryKind::cuda);
    auto from = some_bytes(5000, 9);
    EXPECT_EQ(transfer(*pair, gpu, {from.data(), from.size()}), from);
  }
}

TEST_F(NetHostedSteered, ManyThreadsMakeConnectionsAndNoneLosesItsPool) {
  constexpr int kThreads = 8;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, i] {
      const auto& gpu = gpus_[static_cast<std::size_t>(i) % gpus_.size()];
      auto pair = connect(gpu);
      ASSERT_TRUE(pair.ok()) << pair.error().message();
      auto from = some_bytes(20000, static_cast<unsigned>(i));
      EXPECT_EQ(transfer(*pair, gpu, {from.data(), from.size()}), from);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace hawser
