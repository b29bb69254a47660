// Memory that vanishes under a message costs that message: the connection goes on.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "net/tcp/frame.h"
#include "support/net_pair.h"
#include "support/tcp_pair.h"
#include "support/tcp_raw.h"
#include "support/vanishing_memory.h"

namespace hawser {
namespace {

using namespace test;
using Way = VanishingMemory::Way;

constexpr std::size_t kUserBytes = 2 * kMiB;

// Over one socket, and over several that threads drive.
class TcpLostMemory : public testing::TestWithParam<int> {
 protected:
  TcpLostMemory() : pair_(GetParam(), GetParam() > 1 ? 2 : 0, 2 * kUserBytes) {
    fill_pattern(pair_.from().span(0, pair_.from().bytes()), 1);
  }
  static MemoryRange range(const VanishingMemory& memory) {
    MemoryRange all{memory.data(), kUserBytes};
    all.may_vanish = true;
    return all;
  }
  struct Ends {
    Lost sent, received;
  };
  // Until both are done.
  Ends finish(Request* send, Request* receive) {
    Ends ends{};
    const Deadline deadline = Deadline::after(kPairPatience);
    for (Backoff backoff; (send || receive) && !deadline.expired() && !HasFailure();
         backoff.idle()) {
      step(pair_.sender(), send, ends.sent);
      step(pair_.receiver(), receive, ends.received);
    }
    EXPECT_TRUE(send == nullptr && receive == nullptr);
    return ends;
  }
  static void step(Comm& comm, Request*& request, Lost& lost) {
    if (request == nullptr) return;
    const auto test = comm.test(request);
    ASSERT_TRUE(test.ok()) << test.error().message();
    if (!test->done) return;
    lost = test->lost;
    request = nullptr;
  }
  void expect_working() {
    for (const std::size_t bytes : {std::size_t{8}, kMiB + 1}) {
      pair_.to().reset();
      ASSERT_TRUE(pair_.move(bytes));
      EXPECT_EQ(pattern_mismatch(pair_.to().span(0, bytes), 1), "");
    }
  }
  static constexpr std::size_t kSizes[] = {1, 100, 9000, 100'000, kUserBytes};

  TcpPair pair_;
};
INSTANTIATE_TEST_SUITE_P(Sockets, TcpLostMemory, testing::Values(1, 3));

TEST_P(TcpLostMemory, OfASenderIsToldToBoth) {
  for (const Way way : kWaysToVanish) {
    for (const std::size_t bytes : kSizes) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(way) << " " << bytes);
      VanishingMemory memory(kUserBytes);
      Registration* const source = *pair_.sender().register_memory(range(memory));
      // The last of its pages only.
      const std::size_t from = (bytes - 1) / 4096 * 4096;
      memory.vanish(way, from, kUserBytes - from);
      Request* const receive = pair_.receive(0, bytes);
      Request* const send = *pair_.sender().try_send(memory.data(), bytes, 0, source);
      ASSERT_NE(send, nullptr);
      const Ends ends = finish(send, receive);
      EXPECT_EQ(ends.sent, Lost::own);
      EXPECT_EQ(ends.received, Lost::peers);
      expect_working();
      EXPECT_TRUE(pair_.sender().deregister(source).ok());
    }
  }
}

TEST_P(TcpLostMemory, OfAReceiverIsItsOwnAffair) {
  for (const Way way : kWaysToVanish) {
    for (const std::size_t bytes : kSizes) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(way) << " " << bytes);
      VanishingMemory memory(kUserBytes);
      Registration* const sink = *pair_.receiver().register_memory(range(memory));
      const std::size_t from = (bytes - 1) / 4096 * 4096;
      memory.vanish(way, from, kUserBytes - from);
      Request* const receive = *pair_.receiver().try_receive(memory.data(), bytes, 0, sink);
      const Ends ends = finish(pair_.send(0, bytes), receive);
      EXPECT_EQ(ends.sent, Lost::nothing);
      EXPECT_EQ(ends.received, Lost::own);
      expect_working();
      EXPECT_TRUE(pair_.receiver().deregister(sink).ok());
    }
  }
}

// Messages that leave in one system call with it.
TEST_P(TcpLostMemory, ThoseBesideItAreWhole) {
  VanishingMemory memory(kUserBytes);
  Registration* const source = *pair_.sender().register_memory(range(memory));
  memory.vanish(Way::no_access);
  pair_.to().reset();
  std::vector<Request*> sends, receives;
  for (std::size_t i = 0; i < 9; ++i) {
    receives.push_back(pair_.receive(i * 1000, 1000));
    sends.push_back(i % 3 == 1 ? *pair_.sender().try_send(memory.data(), 1000, 0, source)
                               : pair_.send(i * 1000, 1000));
  }
  for (std::size_t i = 0; i < 9; ++i) {
    const Ends ends = finish(sends[i], receives[i]);
    EXPECT_EQ(ends.received, i % 3 == 1 ? Lost::peers : Lost::nothing) << i;
  }
  for (std::size_t i = 0; i < 9; ++i) {
    const auto got = pair_.to().span(i * 1000, 1000);
    if (i % 3 != 1) EXPECT_TRUE(std::ranges::equal(got, pair_.from().span(i * 1000, 1000))) << i;
  }
  EXPECT_TRUE(pair_.sender().deregister(source).ok());
}

TEST(TcpLostMemoryRaw, ATrailerThatSaysNeitherEndsTheConnection) {
  const auto net = loopback_net(1, 0);
  const auto listener = net->listen(0);
  const RawSender raw((*listener)->handle());
  UniqueFd first;
  const auto comm = receive_from(raw, **listener, 1, first);
  ASSERT_NE(comm, nullptr);
  GuardedBuffer to(4096);
  Registration* const sink = *comm->register_memory(to.range());
  Request* const receive = *comm->try_receive(to.data(), 100, 0, sink);
  Bytes message = whole_message(0, 100);
  message[tcp::kHeaderBytes + 100] = std::byte{2};
  ASSERT_TRUE(say(first, message));
  EXPECT_EQ(error_of(*comm, receive).code(), Code::protocol);
  EXPECT_TRUE(comm->deregister(sink).ok());
}

}  // namespace
}  // namespace hawser
