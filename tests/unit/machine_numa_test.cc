// Which node a thread's memory comes from.
#include <gtest/gtest.h>
#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "machine/numa.h"

namespace hawser {
namespace {

struct Policy {
  int mode = -1;
  std::array<unsigned long, 16> nodes{};
  bool operator==(const Policy&) const = default;
};

std::optional<Policy> policy_of_this_thread() {
  Policy policy;
  if (::syscall(SYS_get_mempolicy, &policy.mode, policy.nodes.data(), 1024, nullptr, 0) != 0)
    return std::nullopt;
  return policy;
}

TEST(PreferNumaNode, HoldsAsLongAsItLives) {
  const auto before = policy_of_this_thread();
  if (!before) GTEST_SKIP() << "no memory policies here: " << std::strerror(errno);
  {
    const PreferNumaNode near(0);
    const auto within = policy_of_this_thread();
    EXPECT_EQ(within->mode, MPOL_PREFERRED);
    EXPECT_EQ(within->nodes[0], 1UL);
  }
  EXPECT_EQ(policy_of_this_thread(), before);
}

TEST(PreferNumaNode, NoSuchNodeChangesNothing) {
  const auto before = policy_of_this_thread();
  for (const int node : {-1, 1023, 100000}) {
    const PreferNumaNode nowhere(node);
    EXPECT_EQ(policy_of_this_thread(), before) << node;
  }
  EXPECT_EQ(policy_of_this_thread(), before);
}

}  // namespace
}  // namespace hawser
