// Bounds of transfers hold where the peer's process is stopped, and its link goes on when that
// does.
#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <vector>

#include "fault/engine_traffic.h"
#include "support/ports.h"

namespace hawser::test {
namespace {

constexpr int kStoppedTimeoutMs = 200;
// What is stopped ends half a second later at the latest; a busy machine has its time, too.
constexpr int kStoppedPatienceMs = 5000;
constexpr std::size_t kStoppedBytes = 24 << 20;  // more than sockets take

class EngineStoppedPeer : public testing::Test {
 protected:
  void SetUp() override {
    setup_.address = "127.0.0.1";
    setup_.port = ports_.base();
    setup_.devices = "lo";
    setup_.channels_per_device = 2;
    setup_.peer_silence_ms = 60'000;
    auto engine = Engine::create(setup_.engine());
    ASSERT_TRUE(engine.ok()) << engine.error().message();
    engine_ = std::move(*engine);
    peer_.emplace(setup_);
    peer_->wait_ready();
    auto link = engine_->connect(setup_.address, setup_.port, setup_.link());
    ASSERT_TRUE(link.ok()) << link.error().message();
    link_ = *link;
    memory_.resize(kStoppedBytes);
    region_ = *engine_->register_memory(memory_.data(), memory_.size());
    const Transfer got = link_.recv(kTrafficTokenTag, region_.span(0, kRegionTokenBytes));
    ASSERT_TRUE(got.result().ok());
    remote_ = *RemoteRegion::from_token(std::span(memory_).first(kRegionTokenBytes));
  }
  void TearDown() override {
    if (peer_) peer_->process().send_signal(SIGCONT);
  }

  // One of each kind and way, all of which need an answer.
  std::vector<Transfer> begin_all(const TransferOptions& options) {
    std::vector<Transfer> all;
    const std::uint64_t most = std::min<std::uint64_t>(kStoppedBytes, remote_.bytes());
    const std::vector<Block> blocks = {{0, 0, 5000}, {6000, 6000, 7000}, {20000, 20000, 3}};
    for (const std::uint64_t bytes : {std::uint64_t{8}, std::uint64_t{100'000}, most}) {
      all.push_back(link_.write(region_.span(0, bytes), remote_.at(0), options));
      all.push_back(link_.read(region_.span(0, bytes), remote_.at(0), options));
      all.push_back(link_.send(77, region_.span(0, bytes), options));
      all.push_back(link_.recv(78, region_.span(0, bytes), options));
    }
    all.push_back(link_.write(region_, remote_, blocks, options));
    all.push_back(link_.read(region_, remote_, blocks, options));
    all.push_back(link_.send(77, region_.span(0, kStoppedBytes), options));
    return all;
  }
  void expect_goes_on() {
    peer_->process().send_signal(SIGCONT);
    const Region region = *engine_->register_memory(memory_.data(), memory_.size());
    const Transfer write = link_.write(region.span(0, 1000), remote_.at(0));
    ASSERT_TRUE(write.wait(kStoppedPatienceMs * 4)) << describe(link_.report());
    EXPECT_TRUE(write.result().ok()) << write.result().error().message();
  }

  PortRange ports_;
  FaultSetup setup_;
  std::vector<std::byte> memory_;
  std::unique_ptr<Engine> engine_;
  std::optional<FaultPeer> peer_;
  Link link_;
  Region region_;
  RemoteRegion remote_;
};

TEST_F(EngineStoppedPeer, TimeLimitsHold) {
  peer_->process().send_signal(SIGSTOP);
  TransferOptions options;
  options.timeout_ms = kStoppedTimeoutMs;
  for (const Transfer& transfer : begin_all(options)) {
    ASSERT_TRUE(transfer.wait(kStoppedPatienceMs)) << transfer.bytes() << " bytes";
    ASSERT_FALSE(transfer.result().ok());
    EXPECT_EQ(transfer.result().error().code(), Code::timeout);
  }
  expect_goes_on();
}

TEST_F(EngineStoppedPeer, WhatIsCancelledEnds) {
  peer_->process().send_signal(SIGSTOP);
  const std::vector<Transfer> all = begin_all({});
  for (const Transfer& transfer : all) transfer.cancel();
  for (const Transfer& transfer : all) {
    ASSERT_TRUE(transfer.wait(kStoppedPatienceMs)) << transfer.bytes() << " bytes";
    EXPECT_FALSE(transfer.result().ok());
  }
  expect_goes_on();
}

// When it has returned nobody touches the memory any more, whatever the peer does later.
TEST_F(EngineStoppedPeer, ARegionCanBeDeregistered) {
  peer_->process().send_signal(SIGSTOP);
  const std::vector<Transfer> all = begin_all({});
  const Status gone = region_.deregister(InFlight::fail, kStoppedPatienceMs);
  EXPECT_TRUE(gone.ok()) << gone.error().message();
  for (const Transfer& transfer : all) EXPECT_TRUE(transfer.done());
  expect_goes_on();
}

// Nobody knows of it, so nobody is asked.
TEST_F(EngineStoppedPeer, ARegionWithoutATokenAsksNobody) {
  peer_->process().send_signal(SIGSTOP);
  std::vector<std::byte> own(100);
  Region region = *engine_->register_memory(own.data(), own.size());
  EXPECT_TRUE(region.deregister(InFlight::wait, kStoppedPatienceMs).ok());
  region = *engine_->register_memory(own.data(), own.size());
  static_cast<void>(region.token());
  const Status asked = region.deregister(InFlight::wait, kStoppedTimeoutMs);
  EXPECT_TRUE(asked.ok()) << "it is not in use: " << asked.error().message();
}

}  // namespace
}  // namespace hawser::test
