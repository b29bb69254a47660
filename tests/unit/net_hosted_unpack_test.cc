// Receives of a TCPX-like plugin: where its metadata says they landed, and that it is not believed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "support/fake_gpu.h"
#include "support/fake_plugin.h"
#include "support/scoped_env.h"

namespace hawser {
namespace {

using test::FakeDeviceMemory;
using test::FakePlugin;
using test::host_fake;
using testing::HasSubstr;

class NetHostedUnpack : public testing::Test {
 protected:
  NetHostedUnpack() {
    fake_.device_type = abi::kDeviceUnpack;
    unpack_ = {meta_.get(), bounce_, 0};
    fake_.device_handle = {abi::kDeviceUnpack, 7, &unpack_, sizeof unpack_, 0};
  }
  ~NetHostedUnpack() override {
    FakeDeviceMemory::start = nullptr;
    FakeDeviceMemory::bytes = 0;
    FakeDeviceMemory::gpu = 0;
  }
  // The pool, the memory received into, and the device handle.
  void put_all_in_device_memory() {
    FakeDeviceMemory::start = bounce_;
    FakeDeviceMemory::bytes =
        static_cast<std::size_t>(reinterpret_cast<std::byte*>(&unpack_ + 1) - bounce_);
  }

  Status open(std::shared_ptr<Gpu> gpu = nullptr, const char* name = "Fake emulated") {
    receiver_.reset();
    listener_.reset();
    table_.name = name;
    PluginOptions options;
    options.gpu = std::move(gpu);
    HAWSER_ASSIGN(net_, host_fake(table_, options));
    HAWSER_ASSIGN(listener_, net_->listen(0));
    HAWSER_ASSIGN(receiver_, listener_->try_accept());
    HAWSER_ASSIGN(registration_,
                  receiver_->register_memory({memory_, sizeof memory_, MemoryKind::host, -1}));
    return {};
  }
  Request* receive(std::size_t bytes = 4096) {
    auto posted = receiver_->try_receive(memory_, bytes, 0, registration_);
    EXPECT_TRUE(posted.ok()) << posted.error().message();
    return posted.ok() ? *posted : nullptr;
  }
  Request* receive_done(std::size_t bytes = 4096) {
    Request* const request = receive(bytes);
    const auto result = receiver_->test(request);
    EXPECT_TRUE(result.ok() && result->done);
    return request;
  }

  FakePlugin fake_;
  abi::NetV7 table_ = test::fake::make_table<abi::NetV7>("Fake emulated");
  std::unique_ptr<abi::NetUnpackMeta> meta_ = std::make_unique<abi::NetUnpackMeta>();
  alignas(kPageBytes) std::byte bounce_[4 * kPageBytes];
  alignas(kPageBytes) std::byte memory_[2 * kPageBytes];
  abi::UnpackNetDeviceHandle unpack_{};
  std::unique_ptr<Net> net_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<ReceiveComm> receiver_;
  Registration* registration_ = nullptr;
};

TEST_F(NetHostedUnpack, TheNthReceiveUsesSlotNModulo16WithEmptyOnesCounted) {
  ASSERT_TRUE(open().ok());
  for (std::uint64_t n = 0; n < 50; ++n) {
    const std::size_t slot = n % 16;
    meta_->cnt[slot] = n % 3;
    meta_->mem[slot][0] = {static_cast<std::uint32_t>(n), 5, 7};
    Request* const request = receive_done(n % 3 == 0 ? 0 : 4096);
    const auto fragments = receiver_->fragments(request);
    ASSERT_TRUE(fragments.ok()) << fragments.error().message();
    ASSERT_EQ(fragments->list.size(), n % 3);
    EXPECT_EQ(fragments->bounce, bounce_);
    if (n % 3 > 0) {
      EXPECT_EQ(fragments->list[0].source_offset, n);
      EXPECT_EQ(fragments->list[0].bytes, 5u);
      EXPECT_EQ(fragments->list[0].destination_offset, 7u);
      EXPECT_EQ(static_cast<const void*>(fragments->list.data()), meta_->mem[slot])
          << "read in place";
    }
    ASSERT_TRUE(receiver_->consume(request).ok());
  }
  EXPECT_EQ(fake_.count("irecvConsumed"), 50u);
  EXPECT_EQ(fake_.count("iflush"), 0u);
}

// Nothing was received, whatever test() said: on a steered socket that is how data shows which did
// not go the steered way.
TEST_F(NetHostedUnpack, AReceiveThatEndsWithoutFragmentsIsAnErrorForGood) {
  ASSERT_TRUE(open().ok());
  meta_->cnt[0] = 0;
  Request* const request = receive_done(4096);
  const auto fragments = receiver_->fragments(request);
  ASSERT_FALSE(fragments.ok());
  EXPECT_EQ(fragments.error().code(), Code::plugin);
  EXPECT_THAT(fragments.error().message(), testing::HasSubstr("ended without a fragment"));
  EXPECT_FALSE(receiver_->consume(request).ok());
}

TEST_F(NetHostedUnpack, SizesAreNotReported) {
  ASSERT_TRUE(open().ok());
  fake_.received = 3;
  const auto result = receiver_->test(receive());
  EXPECT_TRUE(result->done);
  EXPECT_EQ(result->bytes, std::nullopt);
}

TEST_F(NetHostedUnpack, FinishedButUnconsumedReceivesHoldTheirPlaces) {
  ASSERT_TRUE(open().ok());
  std::vector<Request*> requests;
  for (int i = 0; i < 16; ++i) requests.push_back(receive_done());
  EXPECT_EQ(receiver_->try_receive(memory_, 8, 0, registration_).error().code(), Code::internal);
  EXPECT_EQ(fake_.count("irecv"), 16u);
  ASSERT_TRUE(receiver_->consume(requests[0]).ok());
  EXPECT_NE(receive(), nullptr);
}

TEST_F(NetHostedUnpack, ConsumingIsStrictlyInOrderAndOnlyOfFinishedReceives) {
  ASSERT_TRUE(open().ok());
  Request* const first = receive_done();
  Request* const second = receive_done();
  Request* const pending = receive();
  EXPECT_EQ(receiver_->consume(second).error().code(), Code::internal);
  EXPECT_EQ(receiver_->consume(pending).error().code(), Code::internal);
  EXPECT_EQ(receiver_->fragments(pending).error().code(), Code::internal);
  meta_->cnt[1] = 1;
  EXPECT_TRUE(receiver_->fragments(second).ok()) << "may be looked at in any order";
  EXPECT_EQ(fake_.count("irecvConsumed"), 0u);
  EXPECT_TRUE(receiver_->consume(first).ok());
  EXPECT_EQ(receiver_->consume(first).error().code(), Code::internal);
  EXPECT_EQ(receiver_->fragments(first).error().code(), Code::internal);
  EXPECT_TRUE(receiver_->consume(second).ok());
  EXPECT_EQ(fake_.of("irecvConsumed")[0].number, 1);
}

TEST_F(NetHostedUnpack, AMissingIrecvConsumedIsNotCalled) {
  table_.irecvConsumed = nullptr;
  ASSERT_TRUE(open().ok());
  EXPECT_TRUE(receiver_->consume(receive_done()).ok());
}

TEST_F(NetHostedUnpack, ACountBeyondTheTableIsThePluginsError) {
  for (std::uint64_t count : {std::uint64_t{2049}, ~std::uint64_t{0}, std::uint64_t{1} << 40}) {
    ASSERT_TRUE(open().ok());
    meta_->cnt[0] = count;
    Request* const request = receive_done();
    const auto fragments = receiver_->fragments(request);
    ASSERT_FALSE(fragments.ok());
    EXPECT_EQ(fragments.error().code(), Code::plugin);
    EXPECT_THAT(fragments.error().message(), HasSubstr("more than 2048"));
    EXPECT_FALSE(receiver_->try_receive(memory_, 8, 0, registration_).ok())
        << "the comm has failed";
  }
}

TEST_F(NetHostedUnpack, AFullTableIsReadWhole) {
  ASSERT_TRUE(open().ok());
  meta_->cnt[0] = 2048;
  meta_->mem[0][2047] = {1, 2, 3};
  const auto fragments = receiver_->fragments(receive_done());
  ASSERT_TRUE(fragments.ok());
  EXPECT_EQ(fragments->list.size(), 2048u);
  EXPECT_EQ(fragments->list.back().destination_offset, 3u);
}

TEST_F(NetHostedUnpack, BadDeviceHandlesFailTheAcceptAndCloseTheComm) {
  const abi::DeviceHandle good = fake_.device_handle;
  const abi::UnpackNetDeviceHandle good_unpack = unpack_;
  const auto expect_refused = [&](const char* what) {
    const auto opened = open();
    ASSERT_FALSE(opened.ok()) << what;
    EXPECT_EQ(opened.error().code(), Code::plugin) << what;
    EXPECT_EQ(fake_.count("closeRecv"), fake_.count("accept")) << what;
    fake_.device_handle = good;
    unpack_ = good_unpack;
  };
  fake_.device_handle = {};
  expect_refused("none given");
  fake_.device_handle.handle = nullptr;
  expect_refused("a null handle");
  fake_.device_handle.size = 23;
  expect_refused("a short handle");
  unpack_.meta = nullptr;
  expect_refused("null metadata");
  unpack_.bounce_buf = nullptr;
  expect_refused("a null pool");
  unpack_.meta = reinterpret_cast<abi::NetUnpackMeta*>(reinterpret_cast<char*>(meta_.get()) + 4);
  expect_refused("metadata that is not aligned");
  EXPECT_TRUE(open().ok());
}

TEST_F(NetHostedUnpack, AHandleInDeviceMemoryIsReadThroughTheDriver) {
  put_all_in_device_memory();
  FakeDeviceMemory::copies = 0;
  ASSERT_TRUE(open(test::make_fake_gpu(), "GPUDirectTCPX_v7").ok());
  EXPECT_EQ(FakeDeviceMemory::copies, 1);
}

// It is what is left of one that the plugin has let go of.
TEST_F(NetHostedUnpack, APoolThatTheDriverDoesNotKnowIsAnErrorAndNotHostMemory) {
  const Status opened = open(test::make_fake_gpu());
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), Code::plugin);
  EXPECT_THAT(opened.error().message(), HasSubstr("no memory that the driver"));
}

TEST_F(NetHostedUnpack, APoolOfAnotherGpuIsAnErrorThatSaysSo) {
  put_all_in_device_memory();
  FakeDeviceMemory::gpu = 1;
  const Status opened = open(test::make_fake_gpu());
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), Code::plugin);
  EXPECT_THAT(opened.error().message(), HasSubstr("is memory of GPU 1"));
}

TEST_F(NetHostedUnpack, ABouncePoolOnTheGpuIsTold) {
  FakeDeviceMemory::start = bounce_;
  FakeDeviceMemory::bytes = sizeof bounce_;
  ASSERT_TRUE(open(test::make_fake_gpu()).ok());
  meta_->cnt[0] = 1;
  const Fragments fragments = *receiver_->fragments(receive_done());
  EXPECT_EQ(fragments.bounce_kind, MemoryKind::cuda);
  EXPECT_EQ(fragments.pool_bytes, sizeof bounce_);
  EXPECT_FALSE(fragments.gpu_reads_list) << "the metadata is ordinary memory";
}

// Pages are taken by the post, and given back by consume().
TEST_F(NetHostedUnpack, ReceivesAreHeldBackWhereThePoolIsSmall) {
  const test::ScopedEnvironment pool("HAWSER_UNPACK_POOL_BYTES", "262144");  // 64 pages: 56 of them
  ASSERT_TRUE(open().ok());
  Request* const first = receive();  // 4 KiB may come to hold 17; the only one takes 14, a quarter
  ASSERT_NE(first, nullptr);
  EXPECT_NE(receive(), nullptr);
  EXPECT_NE(receive(), nullptr);
  EXPECT_EQ(receive(), nullptr);
  EXPECT_EQ(fake_.count("irecv"), 3U) << "the plugin was asked once more";
  EXPECT_TRUE(receiver_->test(first)->done);
  EXPECT_EQ(receive(), nullptr) << "done is not consumed";
  ASSERT_TRUE(receiver_->consume(first).ok());
  EXPECT_NE(receive(), nullptr);
}

TEST_F(NetHostedUnpack, ARealPluginWithoutAGpuIsRefusedBeforeItsHandleIsRead) {
  unpack_.meta = nullptr;  // would be another error
  const auto opened = open(nullptr, "GPUDirectTCPX_v7");
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), Code::unavailable);
  EXPECT_THAT(opened.error().message(), HasSubstr("no GPU was opened"));
}

TEST_F(NetHostedUnpack, CudaMemoryMustStartOnAPage) {
  ASSERT_TRUE(open().ok());
  const std::size_t before = fake_.count("regMr");
  const auto made = receiver_->register_memory({memory_ + 64, 64, MemoryKind::cuda, 0});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code(), Code::unavailable);
  EXPECT_THAT(made.error().message(), HasSubstr("whole pages of 4096"));
  EXPECT_EQ(fake_.count("regMr"), before);
  EXPECT_TRUE(receiver_->register_memory({memory_, 64, MemoryKind::cuda, 0}).ok());
  EXPECT_EQ(fake_.last().bytes, kPageBytes) << "a whole page";
}

TEST_F(NetHostedUnpack, ARealPluginGetsCudaMemoryOnlyForANicWithAPciAddress) {
  put_all_in_device_memory();
  const auto register_cuda = [&](const char* path) {
    fake_.pci_path = path;
    const Status opened = open(test::make_fake_gpu(), "GPUDirectTCPX_v7");
    EXPECT_TRUE(opened.ok());
    return receiver_->register_memory({memory_, 64, MemoryKind::cuda, 0}).ok();
  };
  for (const char* path : {"", "0000:06:00.0", "/sys/devices/virtual/net/eth1", "/sys/0000:06:00",
                           "/sys/0000-06:00.0", "/sys/devices/0000:06:00.0/"})
    EXPECT_FALSE(register_cuda(path)) << path;
  EXPECT_FALSE(register_cuda(nullptr));
  EXPECT_TRUE(register_cuda("/sys/devices/pci0000:00/0000:06:00.0"));
}

TEST_F(NetHostedUnpack, OneRegistrationServesEveryCommOfTheDevice) {
  ASSERT_TRUE(open().ok());
  auto listener = std::move(*net_->listen(0));
  auto other = std::move(*listener->try_accept());
  EXPECT_TRUE(other->try_receive(memory_, 8, 0, registration_).ok());
  EXPECT_TRUE(other->deregister(registration_).ok());
}

}  // namespace
}  // namespace hawser
