// Whether the books of a node add up, and whether it is noticed where they do not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/accounts.h"
#include "node/report.h"

namespace hawser::node {
namespace {

using ::testing::HasSubstr;

ChannelReport channel_on(int index, const char* device, std::uint64_t sent,
                         std::uint64_t received) {
  ChannelReport channel;
  channel.index = index;
  channel.device = device;
  channel.peer_device = "eth9";
  channel.state = ChannelState::up;
  channel.bytes_sent = sent;
  channel.bytes_received = received;
  return channel;
}

// A GPU with a channel on each of two NICs, 100 + 200 bytes out and 10 + 20 in.
GpuOutcome even_gpu(int number) {
  GpuOutcome gpu;
  gpu.gpu = number;
  gpu.met = gpu.exact = true;
  gpu.link.up = true;
  gpu.link.channels = {channel_on(0, "eth1", 100, 10), channel_on(1, "eth2", 200, 20)};
  gpu.volume = {300, 300, 30};
  return gpu;
}

NodeOutcome even_node() {
  NodeOutcome outcome;
  outcome.gpus = {even_gpu(0), even_gpu(1), even_gpu(2)};
  return outcome;
}

TEST(NodeAccounts, AddUpOverChannelsNicsAndGpus) {
  const Accounts books = keep_accounts(even_node());
  EXPECT_TRUE(books.agree) << books.difference;
  EXPECT_EQ(books.total.moved, (Balance{900, 90}));
  EXPECT_EQ(books.program, (Balance{900, 90}));
  ASSERT_EQ(books.gpus.size(), 3u);
  EXPECT_EQ(books.gpus[1].moved, (Balance{300, 30}));
  ASSERT_EQ(books.nics.size(), 2u);
  EXPECT_EQ(books.nics[0].name, "eth1");
  EXPECT_EQ(books.nics[0].moved, (Balance{300, 30}));
  EXPECT_EQ(books.nics[1].moved, (Balance{600, 60}));
  EXPECT_EQ(books.total.channels, 6);
  EXPECT_EQ(books.total.channels_up, 6);
}

TEST(NodeAccounts, AByteThatIsMissingIsFound) {
  for (const int side : {0, 1}) {
    NodeOutcome outcome = even_node();
    auto& channel = outcome.gpus[2].link.channels[1];
    --(side == 0 ? channel.bytes_sent : channel.bytes_received);
    const Accounts books = keep_accounts(outcome);
    EXPECT_FALSE(books.agree);
    EXPECT_THAT(books.difference, HasSubstr("GPU 2"));
    EXPECT_EQ(status_of(outcome, books), RunStatus::failed);
  }
}

TEST(NodeAccounts, ChannelsThatFailedAreCountedWithWhatWasSentAgain) {
  NodeOutcome outcome = even_node();
  ChannelReport& channel = outcome.gpus[0].link.channels[0];
  channel.state = ChannelState::down;
  channel.failures = 2;
  channel.bytes_sent_again = 50;
  const Accounts books = keep_accounts(outcome);
  EXPECT_TRUE(books.agree) << "what was sent again was acknowledged once";
  EXPECT_EQ(books.gpus[0].failures, 2u);
  EXPECT_EQ(books.gpus[0].sent_again, 50u);
  EXPECT_EQ(books.nics[0].channels_up, 2);
  EXPECT_EQ(books.total.channels_up, 5);
}

TEST(NodeAccounts, AFailedLinkMustHaveMovedWhatIsKnownAndNoMoreThanWasAsked) {
  NodeOutcome outcome = even_node();
  GpuOutcome& gpu = outcome.gpus[1];
  gpu.exact = false;
  gpu.volume = {1000, 250, 20};  // asked, known to be done, received
  EXPECT_TRUE(keep_accounts(outcome).agree);
  EXPECT_FALSE(keep_accounts(outcome).exact);
  gpu.volume.sent = 301;
  EXPECT_FALSE(keep_accounts(outcome).agree) << "more is known to be done than the channels say";
  gpu.volume = {299, 250, 20};
  EXPECT_FALSE(keep_accounts(outcome).agree) << "more was sent than was asked for";
  gpu.volume = {1000, 250, 31};
  EXPECT_FALSE(keep_accounts(outcome).agree);
}

TEST(NodeAccounts, OfNothingAgree) {
  EXPECT_TRUE(keep_accounts(NodeOutcome()).agree);
  NodeOutcome outcome;
  outcome.gpus.resize(2);
  EXPECT_TRUE(keep_accounts(outcome).agree);
}

TEST(NodeAccounts, ALinkIsBalancedToTheByte) {
  const GpuOutcome gpu = even_gpu(0);
  EXPECT_TRUE(balanced(gpu.link, gpu.volume));
  EXPECT_FALSE(balanced(gpu.link, {300, 299, 30}));
  EXPECT_FALSE(balanced(gpu.link, {300, 300, 31}));
}

}  // namespace
}  // namespace hawser::node
