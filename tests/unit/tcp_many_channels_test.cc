// A thousand channels of one process: what they cost while nobody uses them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <vector>

#include "support/file_limit.h"
#include "support/net_pair.h"
#include "support/sanitizers.h"
#include "support/tcp_pair.h"
#include "support/threads.h"

namespace hawser {
namespace {

using namespace test;

constexpr std::size_t kChannels = 1000;
constexpr int kSocketsPerChannel = 2;  // of one channel
constexpr int kIoThreads = 2;
// Both ends of each socket, the receiver's listening one, and some to spare.
constexpr std::size_t kFilesPerChannel = 2 * kSocketsPerChannel + 1;
constexpr std::size_t kFilesToSpare = 200;
constexpr std::size_t kMostBytesPerChannel = 64 * 1024;  // both ends of it
constexpr std::size_t kStripedBytes = 64 * 1024;

const bool kMemoryIsOurs = !kSanitized;  // a sanitizer's shadow counts too

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

class TcpManyChannels : public testing::Test {
 protected:
  void SetUp() override {
    const std::size_t wanted = kChannels * kFilesPerChannel + kFilesToSpare;
    if (const std::size_t files = raise_file_limit(wanted); files < wanted)
      GTEST_SKIP() << "RLIMIT_NOFILE is " << files << ", and " << kChannels << " channels need "
                   << wanted;
    net_ = loopback_net(kSocketsPerChannel, kIoThreads);
    source_memory_.assign(kStripedBytes, std::byte{1});
    sink_memory_.assign(kStripedBytes, std::byte{2});
    before_ = resident_bytes();
    pairs_.reserve(kChannels);
    for (std::size_t i = 0; i < kChannels; ++i) {
      auto pair = connect_pair(*net_, 0, Deadline::after(kPairPatience));
      ASSERT_TRUE(pair.ok()) << "channel " << i << ": " << pair.error().message();
      pairs_.push_back(std::move(*pair));
    }
    source_ = *pairs_[0].sender->register_memory({source_memory_.data(), kStripedBytes});
    sink_ = *pairs_[0].receiver->register_memory({sink_memory_.data(), kStripedBytes});
  }
  void TearDown() override {
    if (pairs_.empty()) return;
    EXPECT_TRUE(pairs_[0].sender->deregister(source_).ok());
    EXPECT_TRUE(pairs_[0].receiver->deregister(sink_).ok());
  }

  // One message over each.
  void move_everywhere(std::size_t bytes) {
    for (NetPair& pair : pairs_) {
      Request* const receive = *pair.receiver->try_receive(sink_memory_.data(), bytes, 0, sink_);
      Request* const send = *pair.sender->try_send(source_memory_.data(), bytes, 0, source_);
      bool sent = false, received = false;
      ASSERT_TRUE(eventually([&] {
        sent = sent || pair.sender->test(send)->done;
        received = received || pair.receiver->test(receive)->done;
        return sent && received;
      }));
    }
  }
  void expect_little_memory(const char* after) const {
    const std::size_t now = resident_bytes();
    const std::size_t each = (now - std::min(now, before_)) / kChannels;
    std::printf("%s: %zu bytes of resident memory a channel, both ends\n", after, each);
    RecordProperty(after, static_cast<int>(each));
    EXPECT_TRUE(!kMemoryIsOurs || each < kMostBytesPerChannel) << each;
  }

  std::vector<std::byte> source_memory_, sink_memory_;
  std::size_t before_ = 0;
  std::unique_ptr<Net> net_;
  std::vector<NetPair> pairs_;  // registrations are per device: one serves all
  Registration* source_ = nullptr;
  Registration* sink_ = nullptr;
};

TEST_F(TcpManyChannels, SmallMessagesTakeNoThread) {
  const std::size_t threads = threads_named("").size();
  move_everywhere(1000);
  EXPECT_EQ(threads_named("").size(), threads);
  EXPECT_TRUE(threads_named("hw-io").empty());
  expect_little_memory("after_small_messages");
}

TEST_F(TcpManyChannels, LargeMessagesTakeThePoolsThreadsWhichSleepBetweenThem) {
  const std::size_t threads = threads_named("").size();
  move_everywhere(kStripedBytes);
  // The thread sanitizer starts one of its own with the first.
  EXPECT_TRUE(!kMemoryIsOurs || threads_named("").size() == threads + kIoThreads);
  const auto io = threads_named("hw-io");
  ASSERT_EQ(io.size(), static_cast<std::size_t>(kIoThreads));
  const auto spent = cpu_time_during(io, Milliseconds(500));
  std::printf("idle: %.3f ms of CPU time in 500 ms\n", static_cast<double>(spent.count()) / 1e6);
  EXPECT_LT(spent, Milliseconds(5));
  expect_little_memory("after_large_messages");
  // They are as good as before.
  move_everywhere(1000);
  move_everywhere(kStripedBytes);
}

}  // namespace
}  // namespace hawser
