// Different comms may be driven by different threads.
#include <thread>

#include "conformance/fixture.h"

namespace hawser::test {
namespace {

constexpr std::size_t kChannels = 8;
constexpr std::size_t kMessages = 40;
constexpr std::size_t kSlots = 4;

void send_all(Channel& channel, std::size_t bytes) {
  for (std::size_t i = 0; i < kMessages; ++i) {
    ASSERT_OK(channel.post_send(i % kSlots * bytes, bytes, static_cast<int>(i)));
    if (i % kSlots == kSlots - 1) ASSERT_OK(drain(channel.send, patience()));
  }
  ASSERT_OK(drain(channel.send, patience()));
}

void receive_all(Channel& channel, std::size_t bytes, std::uint64_t seed) {
  for (std::size_t i = 0; i < kMessages; i += kSlots) {
    channel.to.reset();
    for (std::size_t slot = 0; slot < kSlots; ++slot)
      ASSERT_OK(channel.post_receive(slot * bytes, bytes, static_cast<int>(i + slot)));
    ASSERT_OK(drain(channel.receive, patience()));
    ASSERT_EQ(pattern_mismatch(channel.to.span(0, kSlots * bytes), seed), "");
  }
}

TEST_P(NetConformance, EachEndOfEachChannelMayHaveAThreadOfItsOwn) {
  const std::size_t bytes = request_bytes(64 * 1024);
  std::vector<std::unique_ptr<Channel>> channels;
  for (std::size_t i = 0; i < kChannels; ++i) {
    channels.push_back(make_channel(kSlots * bytes));
    ASSERT_NE(channels.back(), nullptr);
    fill_pattern(channels.back()->from.span(0, kSlots * bytes), i);
  }
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kChannels; ++i) {
    threads.emplace_back([&, i] { send_all(*channels[i], bytes); });
    threads.emplace_back([&, i] { receive_all(*channels[i], bytes, i); });
  }
  for (auto& thread : threads) thread.join();
}

TEST_P(NetConformance, ChannelsComeWorkAndGoInThreadsOfTheirOwn) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kChannels; ++i)
    threads.emplace_back([&, i] {
      for (std::uint64_t round = 0; round < 3; ++round) {
        const auto channel = make_channel(kPageBytes);
        ASSERT_NE(channel, nullptr);
        send_and_check(*channel, 3000, i * 10 + round);
      }
    });
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace hawser::test
