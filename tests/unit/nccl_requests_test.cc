// Sends, receives and their limits, and what goes wrong with them.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "support/guarded_buffer.h"
#include "support/nccl_plugin.h"
#include "support/subprocess.h"

namespace hawser::test {
namespace {

constexpr std::size_t kBytes = std::size_t{8} << 20;
constexpr Milliseconds kErrorWithin{10000};

class PluginRequests : public testing::Test {
 protected:
  const LoadedPlugin<abi::NetV12>& plugin() { return user_.plugin(); }

  const PluginUser user_;
  PluginPair pair_{user_, kBytes};
};

TEST_F(PluginRequests, MessagesArriveWholeAndTellTheirSize) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{4097}, kBytes / 2}) {
    fill_pattern({pair_.from(0), bytes}, bytes);
    void* const receive = pair_.receive({{0, kBytes / 2, 3}});
    void* const send = pair_.send(0, bytes, 3);
    ASSERT_TRUE(receive != nullptr && send != nullptr);
    int size = -1;
    bool sent = false;
    const Deadline deadline = Deadline::after(kPluginPatience);
    while (!plugin_done(pair_, receive, &size)) {
      ASSERT_FALSE(deadline.expired());
      if (!sent) sent = plugin_done(pair_, send);
    }
    if (!sent) {
      ASSERT_TRUE(plugin_wait(pair_, {send}));
    }
    EXPECT_EQ(static_cast<std::size_t>(size), bytes);
    EXPECT_EQ(pattern_mismatch({pair_.to(0), bytes}, bytes), "");
  }
}

TEST_F(PluginRequests, BeyondTheLimitAReceiveIsToComeAgain) {
  std::vector<void*> receives;
  for (int i = 0; i < 32; ++i) receives.push_back(pair_.receive({{0, 16, 0}}));
  for (void* request : receives) EXPECT_NE(request, nullptr);
  EXPECT_EQ(pair_.receive({{0, 16, 0}}), nullptr);
  EXPECT_EQ(pair_.receive({{0, 16, 0}, {16, 16, 1}}), nullptr);
  std::vector<void*> sends;
  for (int i = 0; i < 32; ++i) sends.push_back(pair_.send(0, 16, 0));
  ASSERT_TRUE(plugin_wait(pair_, sends) && plugin_wait(pair_, receives));
}

TEST_F(PluginRequests, BeyondTheLimitASendIsToComeAgain) {
  std::vector<void*> sends;
  while (void* const request = pair_.send(0, kBytes, 0)) sends.push_back(request);
  EXPECT_EQ(sends.size(), 32u);
  std::vector<void*> receives;
  for (std::size_t i = 0; i < sends.size(); ++i)
    receives.push_back(pair_.receive({{0, kBytes, 0}}));
  std::vector<void*> all = sends;
  all.insert(all.end(), receives.begin(), receives.end());
  EXPECT_TRUE(plugin_wait(pair_, all));
}

TEST_F(PluginRequests, AFlushHasNothingToDo) {
  void* request = reinterpret_cast<void*>(1);
  EXPECT_EQ(plugin()->iflush(pair_.receiver(), 0, nullptr, nullptr, nullptr, &request),
            abi::kSuccess);
  EXPECT_EQ(request, nullptr);
}

TEST_F(PluginRequests, OnlyHostMemoryIsRegistered) {
  void* mhandle = nullptr;
  std::byte* const data = pair_.from(0);
  EXPECT_EQ(plugin()->regMr(pair_.sender(), data, 16, abi::kCudaPointer, &mhandle),
            abi::kInvalidArgument);
  EXPECT_EQ(plugin()->regMrDmaBuf(pair_.sender(), data, 16, abi::kCudaPointer, 0, 0, &mhandle),
            abi::kInvalidArgument);
  EXPECT_EQ(plugin()->regMr(pair_.sender(), nullptr, 16, abi::kHostPointer, &mhandle),
            abi::kInvalidArgument);
  EXPECT_EQ(mhandle, nullptr);
}

TEST_F(PluginRequests, MissingAndWrongArgumentsAreInvalid) {
  void* request = nullptr;
  int done = 0;
  EXPECT_EQ(plugin()->test(nullptr, &done, nullptr), abi::kInvalidArgument);
  EXPECT_EQ(plugin()->isend(nullptr, pair_.from(0), 1, 0, nullptr, nullptr, &request),
            abi::kInvalidArgument);
  EXPECT_EQ(plugin()->isend(pair_.receiver(), pair_.from(0), 1, 0, nullptr, nullptr, &request),
            abi::kInvalidArgument);
  EXPECT_EQ(plugin()->isend(pair_.sender(), pair_.from(0), 1, 0, nullptr, nullptr, &request),
            abi::kInvalidArgument);
  EXPECT_EQ(pair_.try_receive({}, &request), abi::kInvalidArgument);
  EXPECT_EQ(pair_.try_receive(std::vector<PluginPair::Buffer>(9, {0, 1, 0}), &request),
            abi::kInvalidArgument);
  EXPECT_EQ(request, nullptr);
  EXPECT_EQ(
      plugin()->irecv(pair_.receiver(), 1, nullptr, nullptr, nullptr, nullptr, nullptr, &request),
      abi::kInvalidArgument);
  ASSERT_TRUE(plugin_wait(pair_, {pair_.receive({{0, 16, 0}}), pair_.send(0, 16, 0)}));
}

TEST_F(PluginRequests, AReceiveSmallerThanTheSendIsAnErrorOnBothSides) {
  void* const receive = pair_.receive({{0, 100, 0}});
  std::vector<void*> sends;  // more than the sockets' buffers hold
  for (int i = 0; i < 4; ++i) sends.push_back(pair_.send(0, kBytes, 0));
  EXPECT_EQ(plugin_wait_for_error(pair_, receive, kErrorWithin), abi::kRemoteError);
  EXPECT_EQ(plugin_wait_for_error(pair_, sends.back(), kErrorWithin), abi::kRemoteError);
}

// What was posted comes to its end: the memory itself is still there.
TEST_F(PluginRequests, ARegistrationDroppedInFlightChangesNothing) {
  ASSERT_TRUE(plugin_wait(pair_, {pair_.receive({{0, 16, 0}}), pair_.send(0, 16, 0)}));
  void* mhandle = nullptr;
  ASSERT_EQ(plugin()->regMr(pair_.receiver(), pair_.to(0), kBytes, abi::kHostPointer, &mhandle),
            abi::kSuccess);
  void* data = pair_.to(0);
  std::size_t bytes = kBytes;
  int tag = 0;
  void* receive = nullptr;
  ASSERT_EQ(plugin()->irecv(pair_.receiver(), 1, &data, &bytes, &tag, &mhandle, nullptr, &receive),
            abi::kSuccess);
  fill_pattern({pair_.from(0), kBytes}, 5);
  void* const send = pair_.send(0, kBytes, 0);
  ASSERT_EQ(plugin()->deregMr(pair_.receiver(), mhandle), abi::kSuccess);
  ASSERT_TRUE(plugin_wait(pair_, {receive, send}));
  EXPECT_EQ(pattern_mismatch({pair_.to(0), kBytes}, 5), "");
  EXPECT_EQ(plugin()->deregMr(pair_.receiver(), mhandle), abi::kInvalidArgument);
}

TEST_F(PluginRequests, AFailedCommSaysSoOnce) {
  void* const receive = pair_.receive({{0, 100, 0}});
  take_plugin_log();
  pair_.close_sender();
  EXPECT_EQ(plugin_wait_for_error(pair_, receive, kErrorWithin), abi::kRemoteError);
  for (int i = 0; i < 10; ++i) {
    int done = 0;
    EXPECT_EQ(plugin()->test(receive, &done, nullptr), abi::kRemoteError);
  }
  const auto lines = take_plugin_log();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], testing::HasSubstr("NET/hawser: test failed: "));
}

// Eight connections on as many threads; meanwhile another thread registers with the same comms.
TEST(PluginThreads, CommsAreDrivenByTheirOwnThreadsWhileOthersRegister) {
  const PluginUser user;
  std::vector<std::unique_ptr<PluginPair>> pairs;
  for (int i = 0; i < 8; ++i) pairs.push_back(std::make_unique<PluginPair>(user, 65536));
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    std::vector<std::byte> memory(4096);
    for (std::size_t i = 0; !stop; i = (i + 1) % pairs.size())
      for (void* comm : {pairs[i]->sender(), pairs[i]->receiver()}) {
        void* mhandle = nullptr;
        ASSERT_EQ(
            user.plugin()->regMr(comm, memory.data(), memory.size(), abi::kHostPointer, &mhandle),
            abi::kSuccess);
        ASSERT_EQ(user.plugin()->deregMr(comm, mhandle), abi::kSuccess);
      }
  });
  for (auto& pair : pairs)
    threads.emplace_back([&pair] {
      for (int i = 0; i < 200; ++i)
        ASSERT_TRUE(plugin_wait(*pair, {pair->receive({{0, 65536, 1}}), pair->send(0, 65536, 1)}));
    });
  for (std::size_t i = 1; i < threads.size(); ++i) threads[i].join();
  stop = true;
  threads[0].join();
}

std::string to_hex(const PluginHandle& handle) {
  std::string text;
  for (const std::byte byte : handle.bytes)
    text += fmt::format("{:02x}", std::to_integer<int>(byte));
  return text;
}

PluginHandle from_hex(const std::string& text) {
  PluginHandle handle;
  for (std::size_t i = 0; i < sizeof handle.bytes; ++i)
    handle.bytes[i] = static_cast<std::byte>(std::stoi(text.substr(2 * i, 2), nullptr, 16));
  return handle;
}

// The other process of the next test: connects to the handle it is given, sends, and stays.
TEST(PluginPeerProcess, ConnectsAndStaysWhereATestStartsIt) {
  const char* const text = std::getenv("HAWSER_TEST_PLUGIN_HANDLE");
  if (text == nullptr) GTEST_SKIP() << "part of another test";
  const PluginUser user;
  PluginHandle handle = from_hex(text);
  void* comm = nullptr;
  for (Backoff backoff; comm == nullptr; backoff.idle())
    ASSERT_EQ(user.plugin()->connect(user.context(), 0, handle.bytes, &comm, nullptr),
              abi::kSuccess);
  std::printf("connected\n");
  std::fflush(stdout);
  std::this_thread::sleep_for(std::chrono::minutes(5));
}

TEST(PluginPeerProcess, AKilledPeerIsARemoteErrorWithinABoundedTime) {
  const PluginUser user;
  PluginHandle handle;
  void* listening = nullptr;
  ASSERT_EQ(user.plugin()->listen(user.context(), 0, handle.bytes, &listening), abi::kSuccess);
  Subprocess peer(Command{
      {"/proc/self/exe", "--gtest_filter=PluginPeerProcess.ConnectsAndStays*"},
      {},
      {},
      {}}.with_env("HAWSER_TEST_PLUGIN_HANDLE", to_hex(handle)));
  void* comm = nullptr;
  const Deadline deadline = Deadline::after(kPluginPatience);
  for (Backoff backoff; comm == nullptr && !deadline.expired(); backoff.idle())
    ASSERT_EQ(user.plugin()->accept(listening, &comm, nullptr), abi::kSuccess);
  ASSERT_NE(comm, nullptr);
  ASSERT_TRUE(peer.wait_for_output("connected"));
  std::vector<std::byte> memory(4096);
  void* mhandle = nullptr;
  void* data = memory.data();
  std::size_t bytes = memory.size();
  int tag = 0;
  void* profile = nullptr;
  void* request = nullptr;
  ASSERT_EQ(user.plugin()->regMr(comm, data, bytes, abi::kHostPointer, &mhandle), abi::kSuccess);
  ASSERT_EQ(user.plugin()->irecv(comm, 1, &data, &bytes, &tag, &mhandle, &profile, &request),
            abi::kSuccess);
  ASSERT_NE(request, nullptr);
  int done = 0;
  ASSERT_EQ(user.plugin()->test(request, &done, nullptr), abi::kSuccess);
  peer.send_signal(SIGKILL);
  int result = abi::kSuccess;
  const Deadline bound = Deadline::after(kErrorWithin);
  for (Backoff backoff; result == abi::kSuccess && !bound.expired(); backoff.idle())
    result = user.plugin()->test(request, &done, nullptr);
  EXPECT_EQ(result, abi::kRemoteError);
  EXPECT_EQ(user.plugin()->deregMr(comm, mhandle), abi::kSuccess);
  EXPECT_EQ(user.plugin()->closeRecv(comm), abi::kSuccess);
  EXPECT_EQ(user.plugin()->closeListen(listening), abi::kSuccess);
}

}  // namespace
}  // namespace hawser::test
