// Which comms count as busy. The periods are the test's: no clock is looked at.
#include <gtest/gtest.h>

#include <array>

#include "net/tcp/io_pool.h"
#include "net/tcp/sender_count.h"

namespace hawser::tcp {
namespace {

TEST(TcpSenderCount, EachCommCountsOnceAPeriod) {
  SenderCount count;
  SenderCount::Period a = 0, b = 0;
  EXPECT_EQ(count.count(a, 10), 1);
  EXPECT_EQ(count.count(a, 10), 1);
  EXPECT_EQ(count.count(b, 10), 2);
  EXPECT_EQ(count.count(a, 10), 2);
}

TEST(TcpSenderCount, ThoseOfTheLastPeriodCountToo) {
  SenderCount count;
  SenderCount::Period a = 0, b = 0, c = 0;
  count.count(a, 10);
  count.count(b, 10);
  EXPECT_EQ(count.count(c, 11), 2) << "the two of before, until more have sent in this one";
  count.count(a, 11);
  EXPECT_EQ(count.count(b, 11), 3);
}

TEST(TcpSenderCount, WhoIsIdleIsForgotten) {
  SenderCount count;
  SenderCount::Period a = 0, b = 0, c = 0;
  for (SenderCount::Period period = 10; period < 14; ++period) {
    count.count(a, period);
    count.count(b, period);
  }
  EXPECT_EQ(count.count(c, 14), 2);
  EXPECT_EQ(count.count(c, 15), 1);
  for (SenderCount::Period period : {17, 21, 26, 1000, 1001, 1005})
    EXPECT_EQ(count.count(c, period), 1) << period;
}

TEST(TcpIoPool, IsCrowdedWhileHalfOfItsCoresSend) {
  IoPoolOptions options;
  options.cores = 8;
  IoPool pool(options);
  std::array<SenderCount::Period, 4> last{};
  const auto all = [&](std::size_t senders) {
    bool crowded = false;
    for (std::size_t i = 0; i < senders; ++i) crowded = pool.crowded(last[i]);
    return crowded;
  };
  EXPECT_FALSE(all(3));
  EXPECT_TRUE(all(4));
}

}  // namespace
}  // namespace hawser::tcp
