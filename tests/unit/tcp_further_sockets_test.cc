#include <gtest/gtest.h>

#include <vector>

#include "base/fd.h"
#include "net/tcp/further_sockets.h"
#include "support/file_limit.h"

namespace hawser::tcp {
namespace {

TEST(TcpFurtherSockets, AreAQuarterOfWhatTheProcessMayHave) {
  const std::uint64_t before = descriptor_limit();
  const test::NoMoreFiles few(100);
  ASSERT_LT(descriptor_limit(), before);
  FurtherSockets all;
  std::vector<FurtherSockets::Grant> granted;
  do granted.push_back(all.grant(9));
  while (granted.back().flows == 9);
  EXPECT_EQ(granted.size() - 1, descriptor_limit() / 4 / 8);
  EXPECT_EQ(granted.back().flows, 1u) << "it works with one";
  granted.clear();
  EXPECT_EQ(all.grant(9).flows, 9u);
  EXPECT_EQ(all.grant(1).flows, 1u);
}

}  // namespace
}  // namespace hawser::tcp
