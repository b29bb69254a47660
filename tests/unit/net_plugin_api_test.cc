// The adapter of every ABI version against a fake table: which arguments go where.

#include <gtest/gtest.h>

#include <limits>

#include "net/hosted/plugin_api.h"
#include "support/fake_plugin.h"

namespace hawser {
namespace {

using test::FakePlugin;

template <class Table>
class NetPluginApi : public testing::Test {
 protected:
  static constexpr int kVersion = Table::kVersion;

  void SetUp() override {
    auto made = make_plugin_api(kVersion, &table_);
    ASSERT_TRUE(made.ok()) << made.error().message();
    api_ = std::move(*made);
  }

  static void log(int, unsigned long, const char*, int, const char*, ...) {}

  FakePlugin fake_;
  void* const context_ = kVersion >= 11 ? fake_.context : nullptr;
  Table table_ = test::fake::make_table<Table>("Fake");
  std::unique_ptr<PluginApi> api_;
  char memory_[64];
  void* out_ = nullptr;
};

using Tables = testing::Types<abi::NetV5, abi::NetV6, abi::NetV7, abi::NetV8, abi::NetV9,
                              abi::NetV10, abi::NetV11, abi::NetV12>;
TYPED_TEST_SUITE(NetPluginApi, Tables);

TYPED_TEST(NetPluginApi, InitGivesTheLogAndWhatTheVersionAdds) {
  void* context = nullptr;
  EXPECT_EQ(this->api_->init(&context, 7, &TestFixture::log), abi::kSuccess);
  const auto& call = this->fake_.last();
  EXPECT_EQ(call.data, reinterpret_cast<void*>(&TestFixture::log));
  EXPECT_EQ(context, this->context_);
  EXPECT_EQ(call.handle != nullptr, TestFixture::kVersion >= 10);  // the profiler
  EXPECT_EQ(call.number, TestFixture::kVersion >= 11 ? abi::kTrafficClassUndefined : 0);
}

TYPED_TEST(NetPluginApi, PropertiesComeFromTheStructOfTheVersion) {
  this->fake_.device_type = abi::kDeviceUnpack;
  this->fake_.registration_is_global = 1;
  this->fake_.max_p2p_bytes = 12345;
  this->fake_.pci_path = "/sys/x/0000:06:00.0";
  PluginProperties properties;
  ASSERT_EQ(this->api_->properties(3, &properties), abi::kSuccess);
  EXPECT_EQ(this->fake_.last().number, 3);
  EXPECT_EQ(properties.name, "fake0");
  EXPECT_EQ(properties.pci_path, "/sys/x/0000:06:00.0");
  EXPECT_EQ(properties.guid, 42u);
  EXPECT_EQ(properties.speed_mbps, 100000);
  EXPECT_EQ(properties.latency_us, 2.5f);
  EXPECT_EQ(properties.max_comms, 77);
  constexpr int version = TestFixture::kVersion;
  EXPECT_EQ(properties.device_type, version >= 7 ? abi::kDeviceUnpack : abi::kDeviceHost);
  EXPECT_EQ(properties.registration_is_global, version >= 8);
  EXPECT_EQ(properties.max_p2p_bytes, version >= 9 ? 12345u : 0u);
}

TYPED_TEST(NetPluginApi, ListenConnectAcceptPassContextHandleAndDeviceHandle) {
  char handle[abi::kConnectHandleBytes];
  abi::DeviceHandle storage{};
  abi::DeviceHandle* device = &storage;
  void* listening = nullptr;
  ASSERT_EQ(this->api_->listen(this->context_, 1, handle, &listening), abi::kSuccess);
  EXPECT_EQ(this->fake_.last().comm, this->context_);
  EXPECT_EQ(this->fake_.last().handle, handle);
  ASSERT_EQ(this->api_->connect(this->context_, 2, handle, &this->out_, &device), abi::kSuccess);
  EXPECT_EQ(this->fake_.last().comm, this->context_);
  EXPECT_EQ(this->fake_.last().number, 2);
  EXPECT_EQ(this->fake_.last().handle, handle);
  ASSERT_EQ(this->api_->accept(listening, &this->out_, &device), abi::kSuccess);
  EXPECT_EQ(this->fake_.last().comm, listening);
  for (const abi::DeviceHandle* seen : this->fake_.storage)
    EXPECT_EQ(seen, TestFixture::kVersion >= 7 ? &storage : nullptr);
}

TYPED_TEST(NetPluginApi, DataCallsPassTheirArgumentsInOrder) {
  void* const comm = this;
  void* handle = nullptr;
  auto& fake = this->fake_;
  ASSERT_EQ(this->api_->register_memory(comm, this->memory_, 64, abi::kCudaPointer, &handle), 0);
  EXPECT_EQ(fake.last().data, this->memory_);
  EXPECT_EQ(fake.last().bytes, 64u);
  EXPECT_EQ(fake.last().number, abi::kCudaPointer);
  ASSERT_EQ(this->api_->send(comm, this->memory_, 33, 4, handle, &this->out_), 0);
  EXPECT_EQ(fake.last().entry, "isend");
  EXPECT_EQ(fake.last().comm, comm);
  EXPECT_EQ(fake.last().data, this->memory_);
  EXPECT_EQ(fake.last().bytes, 33u);
  EXPECT_EQ(fake.last().number, 4);
  EXPECT_EQ(fake.last().handle, handle);
  ASSERT_EQ(this->api_->receive(comm, this->memory_, 44, 5, handle, &this->out_), 0);
  EXPECT_EQ(fake.last().entry, "irecv");
  EXPECT_EQ(fake.last().data, this->memory_);
  EXPECT_EQ(fake.last().bytes, 44u);
  EXPECT_EQ(fake.last().number, 5);
  EXPECT_EQ(fake.last().handle, handle);
  ASSERT_EQ(this->api_->flush(comm, this->memory_, 44, handle, &this->out_), 0);
  EXPECT_EQ(fake.last().data, this->memory_);
  EXPECT_EQ(fake.last().bytes, 44u);
  EXPECT_EQ(fake.last().number, 1);
  EXPECT_EQ(fake.last().handle, handle);
  ASSERT_EQ(this->api_->deregister(comm, handle), 0);
  EXPECT_EQ(fake.last().comm, comm);
  EXPECT_EQ(fake.last().handle, handle);
}

TYPED_TEST(NetPluginApi, TestWritesDoneAndSizes) {
  this->fake_.received = 9;
  int done = 0, sizes[1] = {0};
  ASSERT_EQ(this->api_->test(this, &done, sizes), 0);
  EXPECT_EQ(this->fake_.last().comm, static_cast<void*>(this));
  EXPECT_EQ(done, 1);
  EXPECT_EQ(sizes[0], 9);
}

TYPED_TEST(NetPluginApi, ConsumedAndFinalizeAreCalledWhereTheVersionHasThem) {
  ASSERT_EQ(this->api_->consumed(this, this->memory_), 0);
  EXPECT_EQ(this->fake_.count("irecvConsumed"), TestFixture::kVersion >= 7 ? 1u : 0u);
  if (TestFixture::kVersion >= 7) {
    EXPECT_EQ(this->fake_.last().number, 1);
    EXPECT_EQ(this->fake_.last().handle, this->memory_);
  }
  ASSERT_EQ(this->api_->finalize(this->context_), 0);
  EXPECT_EQ(this->fake_.count("finalize"), TestFixture::kVersion >= 11 ? 1u : 0u);
}

TYPED_TEST(NetPluginApi, TraitsTellWhatTheVersionCanExpress) {
  constexpr int version = TestFixture::kVersion;
  const PluginTraits& traits = this->api_->traits();
  const std::size_t max_int = std::numeric_limits<int>::max();
  EXPECT_EQ(traits.version, version);
  EXPECT_EQ(traits.max_registration_bytes > max_int, version >= 8);
  EXPECT_EQ(traits.max_request_bytes > max_int, version >= 9);
  EXPECT_EQ(traits.init_per_net, version >= 11);
  EXPECT_TRUE(traits.has_iflush);
  EXPECT_EQ(traits.has_irecv_consumed, version >= 7);
}

TYPED_TEST(NetPluginApi, SizesBeyondAnIntArriveWhereTheVersionHasThem) {
  constexpr std::size_t large = (std::size_t{3} << 31) + 5;
  void* handle = nullptr;
  if (TestFixture::kVersion >= 8) {
    ASSERT_EQ(this->api_->register_memory(this, this->memory_, large, 1, &handle), 0);
    EXPECT_EQ(this->fake_.last().bytes, large);
  }
  if (TestFixture::kVersion >= 9) {
    ASSERT_EQ(this->api_->send(this, this->memory_, large, 0, handle, &this->out_), 0);
    EXPECT_EQ(this->fake_.last().bytes, large);
    ASSERT_EQ(this->api_->receive(this, this->memory_, large, 0, handle, &this->out_), 0);
    EXPECT_EQ(this->fake_.last().bytes, large);
  }
}

TYPED_TEST(NetPluginApi, AMissingEntryPointIsNamed) {
  this->table_.closeRecv = nullptr;
  const auto made = make_plugin_api(TestFixture::kVersion, &this->table_);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code(), Code::plugin);
  EXPECT_EQ(made.error().message(), "ncclNetPlugin_v" + std::to_string(TestFixture::kVersion) +
                                        " has no closeRecv: not a usable plugin");
}

TYPED_TEST(NetPluginApi, OptionalEntryPointsMayBeMissing) {
  this->table_.iflush = nullptr;
  if constexpr (requires { this->table_.regMrDmaBuf; }) this->table_.regMrDmaBuf = nullptr;
  if constexpr (requires { this->table_.irecvConsumed; }) this->table_.irecvConsumed = nullptr;
  if constexpr (requires { this->table_.finalize; }) this->table_.finalize = nullptr;
  const auto made = make_plugin_api(TestFixture::kVersion, &this->table_);
  ASSERT_TRUE(made.ok()) << made.error().message();
  EXPECT_FALSE((*made)->traits().has_iflush);
  EXPECT_FALSE((*made)->traits().has_irecv_consumed);
  EXPECT_EQ((*made)->finalize(this->context_), abi::kSuccess);
}

TEST(NetPluginApiVersions, OthersAreRefused) {
  for (int version : {0, 4, 13}) {
    const auto made = make_plugin_api(version, "");
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().code(), Code::invalid_argument);
  }
}

}  // namespace
}  // namespace hawser
