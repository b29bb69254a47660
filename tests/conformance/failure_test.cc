// A peer that goes away: an error, or nothing, but never a crash and never a hang.
#include "conformance/fixture.h"

namespace hawser::test {
namespace {

constexpr Milliseconds kObservation{500};

// Polls until the first error, or until it has been watched for long enough.
template <class Flow>
void watch(Flow& flow) {
  const Deadline deadline = Deadline::after(kObservation);
  for (Backoff backoff; !deadline.expired(); backoff.idle())
    if (const auto result = flow.poll(); !result.ok()) {
      EXPECT_FALSE(result.error().message().empty());
      return;
    }
}

// A pair of which one end can be destroyed while the other lives on.
struct FailingChannel {
  FailingChannel(NetPair connected, const NetCapabilities& capabilities, std::size_t bytes)
      : pair(std::move(connected)),
        buffer(bytes),
        send(*pair.sender, capabilities),
        receive(*pair.receiver, capabilities) {}

  NetPair pair;
  GuardedBuffer buffer;
  SendFlow send;
  ReceiveFlow receive;
};

TEST_P(NetConformance, AReceiverThatGoesDoesNotHangTheSender) {
  allow_warnings();  // of requests in flight at the end
  const std::size_t bytes = request_bytes(8 * 1024 * 1024);
  auto pair = connect_pair(net(), device(), patience());
  ASSERT_OK(pair);
  FailingChannel channel(std::move(*pair), capabilities(), bytes);
  const auto registration = channel.pair.sender->register_memory(channel.buffer.range());
  ASSERT_OK(registration);
  for (int i = 0; i < 4; ++i)
    ASSERT_OK(channel.send.post(channel.buffer.data(), bytes, i, *registration));
  channel.pair.receiver.reset();
  watch(channel.send);
  EXPECT_OK(channel.pair.sender->deregister(*registration));
}

TEST_P(NetConformance, ASenderThatGoesDoesNotHangTheReceiver) {
  allow_warnings();
  const std::size_t bytes = request_bytes(64 * 1024);
  auto pair = connect_pair(net(), device(), patience());
  ASSERT_OK(pair);
  FailingChannel channel(std::move(*pair), capabilities(), bytes);
  const auto registration = channel.pair.receiver->register_memory(channel.buffer.range());
  ASSERT_OK(registration);
  for (int i = 0; i < 4; ++i)
    ASSERT_OK(channel.receive.post(channel.buffer.data(), bytes, i, *registration));
  channel.pair.sender.reset();
  watch(channel.receive);
  EXPECT_OK(channel.pair.receiver->deregister(*registration));
}

TEST_P(NetConformance, OtherChannelsGoOnWhenOneDies) {
  allow_warnings();
  const auto living = make_channel(kPageBytes);
  ASSERT_NE(living, nullptr);
  auto dying = connect_pair(net(), device(), patience());
  ASSERT_OK(dying);
  send_and_check(*living, 100, 1);
  dying->receiver.reset();
  send_and_check(*living, 200, 2);
  dying->sender.reset();
  send_and_check(*living, 300, 3);
}

}  // namespace
}  // namespace hawser::test
