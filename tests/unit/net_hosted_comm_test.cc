// What binds a host that moves data through a plugin, against a fake one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "net/hosted/hosted_comm.h"
#include "support/fake_plugin.h"

namespace hawser {
namespace {

using test::FakePlugin;
using test::host_fake;
using testing::HasSubstr;

// A comm of each direction on an ordinary (not unpacking) fake plugin.
template <class Table>
class HostedComms {
 public:
  explicit HostedComms(FakePlugin& fake) : fake_(fake) {
    table_ = test::fake::make_table<Table>("Fake");
  }
  Table& table() { return table_; }
  void open() {
    net_ = std::move(*host_fake(table_));
    sender = std::move(*(*net_->connect(0, Handle{}))->try_connect());
    auto listener = std::move(*net_->listen(0));
    receiver = std::move(*listener->try_accept());
    fake_.calls.clear();
  }
  Net& net() { return *net_; }

 private:
  FakePlugin& fake_;
  Table table_;
  std::unique_ptr<Net> net_;

 public:
  std::unique_ptr<SendComm> sender;
  std::unique_ptr<ReceiveComm> receiver;
};

class NetHostedComm : public testing::Test {
 protected:
  void SetUp() override { comms_.open(); }
  void TearDown() override { fake_.calls.clear(); }

  Registration* enter(Comm& comm, MemoryKind kind = MemoryKind::host) {
    auto made =
        comm.register_memory({memory_, sizeof memory_, kind, kind == MemoryKind::cuda ? 0 : -1});
    EXPECT_TRUE(made.ok()) << made.error().message();
    return made.ok() ? *made : nullptr;
  }
  SendComm& sender() { return *comms_.sender; }
  ReceiveComm& receiver() { return *comms_.receiver; }

  FakePlugin fake_;
  HostedComms<abi::NetV9> comms_{fake_};
  alignas(kPageBytes) std::byte memory_[8192];
};

TEST_F(NetHostedComm, ANullRequestIsTooEarlyAndTakesNoPlace) {
  Registration* const registration = enter(sender());
  fake_.too_early = 100;
  for (int i = 0; i < 100; ++i) {
    const auto early = sender().try_send(memory_, 8, 0, registration);
    ASSERT_TRUE(early.ok()) << early.error().message();
    EXPECT_EQ(*early, nullptr);
  }
  const auto posted = sender().try_send(memory_, 8, 0, registration);
  ASSERT_TRUE(posted.ok());
  EXPECT_NE(*posted, nullptr);
}

TEST_F(NetHostedComm, TheWindowIsCheckedBeforePosting) {
  Registration* const registration = enter(receiver());
  std::vector<Request*> requests;
  for (int i = 0; i < 32; ++i)
    requests.push_back(*receiver().try_receive(memory_, 8, 0, registration));
  const auto one_more = receiver().try_receive(memory_, 8, 0, registration);
  ASSERT_FALSE(one_more.ok());
  EXPECT_EQ(one_more.error().code(), Code::internal);
  EXPECT_EQ(fake_.count("irecv"), 32u) << "the plugin must not see the 33rd";
  EXPECT_TRUE(receiver().test(requests[0])->done);
  EXPECT_TRUE(receiver().try_receive(memory_, 8, 0, registration).ok());
}

TEST_F(NetHostedComm, OnlyTheOldestUnfinishedIsTested) {
  Registration* const registration = enter(sender());
  Request* const first = *sender().try_send(memory_, 8, 0, registration);
  Request* const second = *sender().try_send(memory_, 8, 0, registration);
  fake_.calls.clear();
  EXPECT_EQ(sender().test(second).error().code(), Code::internal);
  EXPECT_EQ(sender().test(nullptr).error().code(), Code::internal);
  EXPECT_EQ(fake_.count("test"), 0u);
  EXPECT_TRUE(sender().test(first)->done);
  EXPECT_EQ(sender().test(first).error().code(), Code::internal) << "it has ended";
  EXPECT_TRUE(sender().test(second)->done);
}

TEST_F(NetHostedComm, RequestsStayInsideTheirRegistrationAndTheirLimit) {
  Registration* const registration = enter(sender());
  fake_.calls.clear();
  EXPECT_EQ(sender().try_send(memory_, 8193, 0, registration).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(sender().try_send(memory_ + 1, 8192, 0, registration).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(sender().try_send(memory_ - 1, 8, 0, registration).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(sender().try_send(memory_, 8, 0, nullptr).error().code(), Code::invalid_argument);
  EXPECT_EQ(sender().try_send(memory_, std::size_t{2} << 30, 0, registration).error().code(),
            Code::invalid_argument);
  EXPECT_TRUE(fake_.calls.empty());
  EXPECT_TRUE(sender().try_send(memory_ + 8192, 0, 0, registration).ok());
  EXPECT_TRUE(sender().try_send(nullptr, 0, 0, nullptr).ok());
}

TEST_F(NetHostedComm, ReceivedSizesAreReportedAndChecked) {
  Registration* const registration = enter(receiver());
  fake_.received = 5;
  auto result = receiver().test(*receiver().try_receive(memory_, 8, 0, registration));
  EXPECT_EQ(result->bytes, 5u);
  fake_.received = -1;  // never written
  result = receiver().test(*receiver().try_receive(memory_, 8, 0, registration));
  EXPECT_TRUE(result->done);
  EXPECT_EQ(result->bytes, std::nullopt);
  fake_.received = 9;
  result = receiver().test(*receiver().try_receive(memory_, 8, 0, registration));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), Code::plugin);
  EXPECT_THAT(result.error().message(), HasSubstr("ended with 9 bytes received"));
}

TEST_F(NetHostedComm, AfterAnErrorThePluginsRequestsAreNotTouched) {
  Registration* const registration = enter(sender());
  Request* const request = *sender().try_send(memory_, 8, 0, registration);
  fake_.results["test"] = abi::kRemoteError;
  const auto failed = sender().test(request);
  EXPECT_EQ(failed.error().code(), Code::peer);
  fake_.results.clear();
  fake_.calls.clear();
  EXPECT_EQ(sender().test(request).error().message(), failed.error().message());
  EXPECT_EQ(sender().try_send(memory_, 8, 0, registration).error().message(),
            failed.error().message());
  EXPECT_TRUE(fake_.calls.empty());
}

TEST_F(NetHostedComm, ReceivesIntoCudaMemoryAreDoneOnlyAfterTheirFlush) {
  Registration* const registration = enter(receiver(), MemoryKind::cuda);
  fake_.received = 6;
  Request* const request = *receiver().try_receive(memory_ + 64, 8, 0, registration);
  EXPECT_FALSE(receiver().test(request)->done) << "arrived, and not flushed";
  const auto flush = fake_.of("iflush");
  ASSERT_EQ(flush.size(), 1u);
  EXPECT_EQ(flush[0].data, memory_ + 64);
  EXPECT_EQ(flush[0].bytes, 6u);
  fake_.polls_till_done = 1;
  fake_.received = 0;
  EXPECT_FALSE(receiver().test(request)->done);
  const auto result = receiver().test(request);
  EXPECT_TRUE(result->done);
  EXPECT_EQ(result->bytes, 6u);
  EXPECT_EQ(fake_.count("iflush"), 1u);
}

TEST_F(NetHostedComm, AFlushWithoutARequestIsDoneAtOnce) {
  Registration* const registration = enter(receiver(), MemoryKind::cuda);
  fake_.flush_is_at_once = true;
  EXPECT_TRUE(receiver().test(*receiver().try_receive(memory_, 8, 0, registration))->done);
  EXPECT_EQ(fake_.count("iflush"), 1u);
}

TEST_F(NetHostedComm, AFailedFlushFailsTheReceive) {
  Registration* const registration = enter(receiver(), MemoryKind::cuda);
  fake_.results["iflush"] = abi::kInternalError;
  const auto result = receiver().test(*receiver().try_receive(memory_, 8, 0, registration));
  EXPECT_EQ(result.error().code(), Code::plugin);
}

TEST_F(NetHostedComm, HostMemoryAndEmptyReceivesAreNotFlushed) {
  Registration* const host = enter(receiver());
  Registration* const cuda = enter(receiver(), MemoryKind::cuda);
  EXPECT_TRUE(receiver().test(*receiver().try_receive(memory_, 8, 0, host))->done);
  fake_.received = 0;
  EXPECT_TRUE(receiver().test(*receiver().try_receive(memory_, 8, 0, cuda))->done);
  EXPECT_EQ(fake_.count("iflush"), 0u);
}

TEST_F(NetHostedComm, AFailedRegistrationNamesPointerSizeKindDeviceAndCode) {
  fake_.results["regMr"] = abi::kInternalError;
  void* const at = reinterpret_cast<void*>(std::uintptr_t{0x7f0000001000});
  const auto made = sender().register_memory({at, 16777216, MemoryKind::host, -1});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code(), Code::plugin);
  EXPECT_EQ(made.error().message(),
            "Fake: regMr(pointer=0x7f0000001000, bytes=16777216, kind=host) on device 0 failed: 3 "
            "(internal error)");
}

TEST_F(NetHostedComm, ARegistrationEndsOnceAndWithItsOwnComm) {
  Registration* const registration = enter(sender());
  fake_.calls.clear();
  EXPECT_EQ(receiver().deregister(registration).error().code(), Code::internal);
  EXPECT_TRUE(fake_.calls.empty());
  EXPECT_TRUE(sender().deregister(registration).ok());
  EXPECT_EQ(sender().deregister(registration).error().code(), Code::internal);
  EXPECT_EQ(fake_.count("deregMr"), 1u);
}

TEST_F(NetHostedComm, NothingIsNoRegistration) {
  EXPECT_EQ(sender().register_memory({nullptr, 8, MemoryKind::host, -1}).error().code(),
            Code::invalid_argument);
  EXPECT_EQ(sender().register_memory({memory_, 0, MemoryKind::host, -1}).error().code(),
            Code::invalid_argument);
}

TEST_F(NetHostedComm, UnpackingIsNotAskedOfANetThatDoesNotUnpack) {
  Registration* const registration = enter(receiver());
  Request* const request = *receiver().try_receive(memory_, 8, 0, registration);
  EXPECT_EQ(receiver().fragments(request).error().code(), Code::internal);
  EXPECT_EQ(receiver().consume(request).error().code(), Code::internal);
}

// Other tables and properties than those of the fixture.

TEST(NetHostedCommLimits, AV7PluginRegistersLessThanTwoGibibytes) {
  FakePlugin fake;
  HostedComms<abi::NetV7> comms(fake);
  comms.open();
  std::byte memory[16];
  const auto made =
      comms.sender->register_memory({memory, std::size_t{1} << 31, MemoryKind::host, -1});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code(), Code::invalid_argument);
  EXPECT_THAT(made.error().message(), HasSubstr("a v7 plugin registers at most 2147483647 bytes"));
  EXPECT_EQ(fake.count("regMr"), 0u);
  HostedComms<abi::NetV8> wider(fake);
  wider.open();
  EXPECT_TRUE(
      wider.sender->register_memory({memory, std::size_t{1} << 31, MemoryKind::host, -1}).ok());
}

TEST(NetHostedCommLimits, AMissingIflushIsNotCalled) {
  FakePlugin fake;
  HostedComms<abi::NetV7> comms(fake);
  comms.table().iflush = nullptr;
  comms.open();
  std::byte memory[16];
  Registration* const registration =
      *comms.receiver->register_memory({memory, sizeof memory, MemoryKind::cuda, 0});
  EXPECT_TRUE(comms.receiver->test(*comms.receiver->try_receive(memory, 8, 0, registration))->done);
}

TEST(NetHostedCommLimits, PointerKindsADeviceLacksAreRefusedWithTheReason) {
  FakePlugin fake;
  fake.pointer_support = abi::kHostPointer | abi::kDmaBufPointer;
  HostedComms<abi::NetV9> comms(fake);
  comms.open();
  std::byte memory[16];
  auto made = comms.sender->register_memory({memory, 16, MemoryKind::cuda, 0});
  EXPECT_EQ(made.error().code(), Code::unavailable);
  EXPECT_THAT(made.error().message(), HasSubstr("only as a dma-buf"));
  fake.pointer_support = abi::kCudaPointer;
  HostedComms<abi::NetV9> cuda_only(fake);
  cuda_only.open();
  made = cuda_only.sender->register_memory({memory, 16, MemoryKind::host, -1});
  EXPECT_EQ(made.error().code(), Code::unavailable);
  EXPECT_EQ(fake.count("regMr"), 0u);
}

TEST(NetHostedCommLimits, AGlobalRegistrationServesEveryCommOfTheDevice) {
  FakePlugin fake;
  fake.registration_is_global = 1;
  HostedComms<abi::NetV9> comms(fake);
  comms.open();
  std::byte memory[16];
  Registration* const registration =
      *comms.sender->register_memory({memory, sizeof memory, MemoryKind::host, -1});
  EXPECT_TRUE(comms.receiver->try_receive(memory, 8, 0, registration).ok());
  comms.sender.reset();
  EXPECT_TRUE(comms.receiver->deregister(registration).ok()) << "through a comm that is alive";
  EXPECT_EQ(fake.of("deregMr")[0].comm, fake.of("irecv")[0].comm);
}

}  // namespace
}  // namespace hawser
