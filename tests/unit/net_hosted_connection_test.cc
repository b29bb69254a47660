// What binds a host that makes connections through a plugin, against a fake one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_plugin.h"
#include "support/scoped_env.h"

namespace hawser {
namespace {

using test::FakePlugin;
using test::host_fake;
using test::ScopedEnvironment;
using testing::HasSubstr;

class NetHostedConnection : public testing::Test {
 protected:
  void SetUp() override {
    auto hosted = host_fake(table_);
    ASSERT_TRUE(hosted.ok()) << hosted.error().message();
    net_ = std::move(*hosted);
    fake_.calls.clear();
  }

  FakePlugin fake_;
  abi::NetV7 table_ = test::fake::make_table<abi::NetV7>("Fake");
  std::unique_ptr<Net> net_;
};

TEST_F(NetHostedConnection, EveryConnectRetryUsesTheSameMutableBuffer) {
  Handle handle{};
  handle[3] = std::byte{9};
  fake_.too_early = 3;
  auto connector = std::move(*net_->connect(0, handle));
  for (int i = 0; i < 3; ++i) {
    const auto early = connector->try_connect();
    ASSERT_TRUE(early.ok());
    EXPECT_EQ(*early, nullptr);
  }
  ASSERT_NE(*connector->try_connect(), nullptr);
  const auto calls = fake_.of("connect");
  ASSERT_EQ(calls.size(), 4u);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(calls[i].handle, calls[0].handle);
    EXPECT_EQ(fake_.handles[i][3], 9);
    EXPECT_EQ(static_cast<std::size_t>(fake_.handles[i][7]), i) << "the plugin's own changes stay";
    EXPECT_EQ(fake_.storage[i], fake_.storage[0]);
  }
  ASSERT_NE(fake_.storage[0], nullptr);
}

TEST_F(NetHostedConnection, NeverConnectsAgainAfterSuccessOrFailure) {
  auto connector = std::move(*net_->connect(0, Handle{}));
  ASSERT_NE(*connector->try_connect(), nullptr);
  EXPECT_EQ(connector->try_connect().error().code(), Code::internal);
  fake_.results["connect"] = abi::kRemoteError;
  auto refused = std::move(*net_->connect(0, Handle{}));
  EXPECT_EQ(refused->try_connect().error().code(), Code::peer);
  EXPECT_EQ(refused->try_connect().error().code(), Code::internal);
  EXPECT_EQ(fake_.count("connect"), 2u);
}

TEST_F(NetHostedConnection, OneAcceptPerListenAndItIsClosedRightAfter) {
  fake_.too_early = 2;
  auto listener = std::move(*net_->listen(0));
  EXPECT_EQ(listener->handle()[5], std::byte{0x5a});
  EXPECT_EQ(*listener->try_accept(), nullptr);
  EXPECT_EQ(*listener->try_accept(), nullptr);
  EXPECT_EQ(fake_.count("closeListen"), 0u);
  const auto comm = listener->try_accept();
  ASSERT_TRUE(comm.ok());
  ASSERT_NE(*comm, nullptr);
  EXPECT_EQ(fake_.count("closeListen"), 1u);
  EXPECT_EQ(fake_.count("closeRecv"), 0u) << "the comm outlives its listener";
  EXPECT_EQ(listener->try_accept().error().code(), Code::internal);
  listener.reset();
  EXPECT_EQ(fake_.count("accept"), 3u);
  EXPECT_EQ(fake_.count("closeListen"), 1u);
}

TEST_F(NetHostedConnection, AnUnfinishedAcceptLeavesTheListenCommOpen) {
  fake_.too_early = 1;
  auto listener = std::move(*net_->listen(0));
  EXPECT_EQ(*listener->try_accept(), nullptr);
  listener.reset();
  EXPECT_EQ(fake_.count("closeListen"), 0u);
}

TEST_F(NetHostedConnection, AListenerThatNeverAcceptedIsClosed) {
  auto listener = std::move(*net_->listen(0));
  listener.reset();
  EXPECT_EQ(fake_.count("closeListen"), 1u);
}

TEST_F(NetHostedConnection, AcceptGetsStorageForADeviceHandleThatOutlivesTheListener) {
  fake_.too_early = 1;
  auto listener = std::move(*net_->listen(0));
  EXPECT_EQ(*listener->try_accept(), nullptr);
  auto comm = std::move(*listener->try_accept());
  listener.reset();
  ASSERT_EQ(fake_.storage.size(), 2u);
  ASSERT_NE(fake_.storage[0], nullptr);
  EXPECT_EQ(fake_.storage[0], fake_.storage[1]);
  std::memset(fake_.storage[0], 0xff, 32);  // ASan objects if it has gone
}

TEST_F(NetHostedConnection, ClosesEachCommOnce) {
  auto sender = std::move(*(*net_->connect(0, Handle{}))->try_connect());
  auto listener = std::move(*net_->listen(0));
  auto receiver = std::move(*listener->try_accept());
  sender.reset();
  receiver.reset();
  EXPECT_EQ(fake_.count("closeSend"), 1u);
  EXPECT_EQ(fake_.count("closeRecv"), 1u);
}

TEST_F(NetHostedConnection, DevicesOutOfRangeNeverReachThePlugin) {
  for (int device : {-1, 1, 1000}) {
    EXPECT_EQ(net_->listen(device).error().code(), Code::invalid_argument);
    EXPECT_EQ(net_->connect(device, Handle{}).error().code(), Code::invalid_argument);
  }
  EXPECT_TRUE(fake_.calls.empty());
}

TEST_F(NetHostedConnection, AFailedListenNamesPluginCallDeviceAndCode) {
  fake_.results["listen"] = abi::kSystemError;
  const auto listener = net_->listen(0);
  ASSERT_FALSE(listener.ok());
  EXPECT_EQ(listener.error().code(), Code::plugin);
  EXPECT_EQ(listener.error().message(), "Fake: listen() on device 0 failed: 2 (system error)");
}

TEST(NetHostedInit, OncePerProcessBeforeV11EvenForSeveralNets) {
  FakePlugin fake;
  const auto table = test::fake::make_table<abi::NetV10>("Fake");
  fake.results["init"] = abi::kInternalError;
  EXPECT_EQ(host_fake(table).error().message(), "Fake: init() failed: 3 (internal error)");
  fake.results.clear();
  EXPECT_TRUE(host_fake(table).ok());
  EXPECT_TRUE(host_fake(table).ok());
  EXPECT_EQ(fake.count("init"), 2u) << "one that failed, one that did not";
  EXPECT_EQ(fake.count("finalize"), 0u);
}

TEST(NetHostedInit, PerNetSinceV11WithItsOwnContextAndFinalize) {
  FakePlugin fake;
  const auto table = test::fake::make_table<abi::NetV12>("Fake");
  for (int round = 0; round < 2; ++round) {
    auto net = host_fake(table);
    ASSERT_TRUE(net.ok());
    ASSERT_TRUE((*net)->listen(0).ok());
    EXPECT_EQ(fake.of("listen").back().comm, fake.context);
  }
  EXPECT_EQ(fake.count("init"), 2u);
  EXPECT_EQ(fake.count("finalize"), 2u);
  EXPECT_EQ(fake.last().comm, fake.context);
}

TEST(NetHostedInit, AFailedInitIsNotFinalized) {
  FakePlugin fake;
  const auto table = test::fake::make_table<abi::NetV11>("Fake");
  fake.results["init"] = abi::kSystemError;
  EXPECT_FALSE(host_fake(table).ok());
  EXPECT_EQ(fake.count("finalize"), 0u);
}

TEST(NetHostedInit, StrangeNumbersOfDevicesAreErrors) {
  FakePlugin fake;
  const auto table = test::fake::make_table<abi::NetV8>("Fake");
  fake.devices = 0;
  EXPECT_EQ(host_fake(table).error().code(), Code::unavailable);
  for (int count : {-1, 1 << 20}) {
    fake.devices = count;
    EXPECT_EQ(host_fake(table).error().code(), Code::plugin) << count;
  }
  EXPECT_EQ(fake.count("getProperties"), 0u);
}

TEST(NetHostedInit, NcclNetMustNameAPluginFoundByNcclNetPlugin) {
  FakePlugin fake;
  const auto table = test::fake::make_table<abi::NetV8>("Fake");
  PluginOptions options;
  options.choice = {"fake", "NCCL_NET_PLUGIN=fake", true};
  {
    const ScopedEnvironment env("NCCL_NET", "Socket");
    EXPECT_THAT(host_fake(table, options).error().message(), HasSubstr("NCCL_NET=Socket"));
    EXPECT_TRUE(fake.calls.empty()) << "refused before it is initialised";
    EXPECT_TRUE(host_fake(table).ok()) << "named by other means";
  }
  const ScopedEnvironment env("NCCL_NET", "fAKE");
  EXPECT_TRUE(host_fake(table, options).ok());
}

struct DeviceCase {
  PluginProperties properties;
  PluginTraits traits;
  HostedDevice made(const std::string& name = "Fake") const {
    return host_device(0, properties, traits, name, kUnpackRequestBytes);
  }
};

DeviceCase device_case(int type) {
  DeviceCase made;
  made.properties.pointer_support = abi::kHostPointer | abi::kCudaPointer;
  made.properties.device_type = type;
  made.traits.max_registration_bytes = made.traits.max_request_bytes =
      std::numeric_limits<std::size_t>::max();
  made.traits.has_iflush = true;
  return made;
}

TEST(NetHostedDevice, AnUnpackingDevice) {
  const DeviceCase unpacking = device_case(abi::kDeviceUnpack);
  const HostedDevice device = unpacking.made("GPUDirectTCPX_v7");
  EXPECT_TRUE(device.capabilities.needs_unpack);
  EXPECT_TRUE(device.capabilities.oldest_first);
  EXPECT_TRUE(device.capabilities.registration_per_device);
  EXPECT_FALSE(device.capabilities.reports_received_bytes);
  EXPECT_EQ(device.capabilities.max_requests, 16);
  EXPECT_EQ(device.capabilities.max_request_bytes, kUnpackRequestBytes);
  EXPECT_LT(device.max_registration_bytes, std::size_t{1} << 31);
  EXPECT_FALSE(device.flushes) << "iflush must never be called";
  EXPECT_EQ(device.devmem, Devmem::real);
  EXPECT_EQ(unpacking.made("GPUDirectTCPX_Emulated_v7").devmem, Devmem::emulated);
}

TEST(NetHostedDevice, AnOrdinaryDevice) {
  DeviceCase ordinary = device_case(abi::kDeviceHost);
  HostedDevice device = ordinary.made();
  EXPECT_FALSE(device.capabilities.needs_unpack);
  EXPECT_TRUE(device.capabilities.reports_received_bytes);
  EXPECT_EQ(device.capabilities.max_requests, 32);
  EXPECT_EQ(device.capabilities.max_request_bytes, std::size_t{1} << 30);
  EXPECT_FALSE(device.capabilities.registration_per_device);
  EXPECT_TRUE(device.flushes);
  EXPECT_EQ(device.devmem, Devmem::none);
  ordinary.properties.max_p2p_bytes = 4096;
  ordinary.properties.registration_is_global = true;
  device = ordinary.made();
  EXPECT_EQ(device.capabilities.max_request_bytes, 4096u);
  EXPECT_TRUE(device.capabilities.registration_per_device);
  ordinary.properties.max_p2p_bytes = std::size_t{1} << 40;
  EXPECT_EQ(ordinary.made().capabilities.max_request_bytes, std::size_t{1} << 30);
}

TEST(NetHostedDevice, TheUsersChunkSizeBoundsUnpackingRequests) {
  FakePlugin fake;
  fake.device_type = abi::kDeviceUnpack;
  const auto table = test::fake::make_table<abi::NetV7>("Fake emulated");
  {
    const ScopedEnvironment env("NCCL_DYNAMIC_CHUNK_SIZE", "65536");
    EXPECT_EQ((*host_fake(table))->devices()[0].capabilities.max_request_bytes, 65536u);
  }
  {
    const ScopedEnvironment env("NCCL_DYNAMIC_CHUNK_SIZE", nullptr);
    PluginOptions options;
    options.chunk_bytes = 8192;
    EXPECT_EQ((*host_fake(table, options))->devices()[0].capabilities.max_request_bytes, 8192u);
  }
  const ScopedEnvironment env("NCCL_DYNAMIC_CHUNK_SIZE", "0");
  EXPECT_THAT(host_fake(table).error().message(), HasSubstr("NCCL_DYNAMIC_CHUNK_SIZE=0"));
}

}  // namespace
}  // namespace hawser
