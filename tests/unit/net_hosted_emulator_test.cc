// The emulated TCPX, hosted: its window, and its error 3.
#include "net_hosted_emulator.h"

#include <gtest/gtest.h>

#include <vector>

namespace hawser {
namespace {

// TCPX's rules hold for comms whose windows are full, too: the 17th is refused, and stays refused
// while receives are done but not consumed.
TEST(NetHostedEmulatorWindow, The17thIsRefusedUntilTheFirstIsConsumed) {
  HostedEmulator emulator("");
  EmulatedChannel channel(emulator, kPageBytes);
  std::vector<Request*> sends, receives;
  const auto post_send = [&] {
    return channel.pair.sender->try_send(channel.from.data(), 100, 0, channel.sends);
  };
  const auto post_receive = [&] {
    return channel.pair.receiver->try_receive(channel.to.data(), 100, 0, channel.receives);
  };
  for (int i = 0; i < kEmulatorWindow; ++i) {
    receives.push_back(*post_receive());
    sends.push_back(*post_send());
  }
  EXPECT_EQ(post_send().error().code(), Code::internal);
  EXPECT_EQ(post_receive().error().code(), Code::internal);
  for (std::size_t i = 0; i < sends.size(); ++i) {
    ASSERT_TRUE(emu_test::eventually([&] { return channel.pair.sender->test(sends[i])->done; }));
    ASSERT_TRUE(
        emu_test::eventually([&] { return channel.pair.receiver->test(receives[i])->done; }));
  }
  EXPECT_EQ(post_receive().error().code(), Code::internal) << "done, and not consumed";
  ASSERT_TRUE(channel.pair.receiver->consume(receives[0]).ok());
  Request* const one_more = *post_receive();
  Request* const sent = *post_send();
  ASSERT_NE(one_more, nullptr);
  ASSERT_TRUE(emu_test::eventually([&] { return channel.pair.sender->test(sent)->done; }));
  ASSERT_TRUE(emu_test::eventually([&] { return channel.pair.receiver->test(one_more)->done; }));
  for (std::size_t i = 1; i < receives.size(); ++i)
    EXPECT_TRUE(channel.pair.receiver->consume(receives[i]).ok());
  EXPECT_TRUE(channel.pair.receiver->consume(one_more).ok());
  EXPECT_EQ(emulator.stats().violations, 0U) << emulator.stats().last_violation;
  EXPECT_EQ(emulator.stats().max_requests_in_flight, 16U);
}

// Error 3 from test of the oldest is the end of that comm, and of no other.
TEST(NetHostedEmulatorError3, IsTheEndOfASendingComm) {
  HostedEmulator emulator("client:test@0=fail:3");
  EmulatedChannel channel(emulator, kPageBytes);
  SendComm& sender = *channel.pair.sender;
  Request* const first = *sender.try_send(channel.from.data(), 100, 0, channel.sends);
  Request* const second = *sender.try_send(channel.from.data(), 100, 0, channel.sends);
  const auto failed = sender.test(first);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code(), Code::plugin);
  EXPECT_NE(failed.error().message().find("3 (internal error)"), std::string::npos);
  const std::uint64_t calls = emulator.data_calls();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(sender.test(first).error().message(), failed.error().message());
    EXPECT_EQ(sender.test(second).error().message(), failed.error().message());
    EXPECT_EQ(sender.try_send(channel.from.data(), 100, 0, channel.sends).error().message(),
              failed.error().message());
  }
  EXPECT_EQ(emulator.data_calls(), calls);
  EXPECT_EQ(emulator.stats().violations, 0U) << emulator.stats().last_violation;
}

TEST(NetHostedEmulatorError3, IsTheEndOfAReceivingComm) {
  HostedEmulator emulator("server:test@0=fail:3");
  EmulatedChannel channel(emulator, kPageBytes);
  ReceiveComm& receiver = *channel.pair.receiver;
  const auto post = [&] {
    return receiver.try_receive(channel.to.data(), 100, 0, channel.receives);
  };
  Request* const first = *post();
  Request* const second = *post();
  const auto failed = receiver.test(first);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code(), Code::plugin);
  const std::string why = failed.error().message();
  const std::uint64_t calls = emulator.data_calls();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(receiver.test(first).error().message(), why);
    EXPECT_EQ(receiver.test(second).error().message(), why);
    EXPECT_EQ(receiver.fragments(first).error().message(), why);
    EXPECT_EQ(receiver.consume(first).error().message(), why);
    EXPECT_EQ(post().error().message(), why);
  }
  EXPECT_EQ(emulator.data_calls(), calls);
  EmulatedChannel other(emulator, kPageBytes);
  Request* const receiving =
      *other.pair.receiver->try_receive(other.to.data(), 100, 0, other.receives);
  Request* const sending = *other.pair.sender->try_send(other.from.data(), 100, 0, other.sends);
  ASSERT_TRUE(emu_test::eventually([&] { return other.pair.sender->test(sending)->done; }));
  ASSERT_TRUE(emu_test::eventually([&] { return other.pair.receiver->test(receiving)->done; }));
  EXPECT_TRUE(other.pair.receiver->consume(receiving).ok());
  EXPECT_EQ(emulator.stats().violations, 0U) << emulator.stats().last_violation;
}

}  // namespace
}  // namespace hawser
