#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>

#include "base/parameters.h"

namespace hawser {
namespace {

class ScopedEnv {
 public:
  ScopedEnv(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~ScopedEnv() { unsetenv(name_); }

 private:
  const char* name_;
};

TEST(Parameters, NamesAreUnique) {
  std::set<std::string> names;
  for (const Parameter* parameter : all_parameters())
    EXPECT_TRUE(names.insert(parameter->name).second);
}

TEST(Parameters, DefaultHoldsWhereUnsetOrEmpty) {
  const ScopedEnv env("HAWSER_PORT_BASE", "");
  EXPECT_EQ(parameters::kPortBase.integer().value(), 20000);
}

TEST(Parameters, BadIntegerNamesVariableTextAndRange) {
  for (const char* bad : {"x", "0", "65536", "12x", " 5", "99999999999999999999"}) {
    const ScopedEnv env("HAWSER_PORT_BASE", bad);
    const auto value = parameters::kPortBase.integer();
    ASSERT_FALSE(value.ok()) << bad;
    EXPECT_EQ(value.error().message(),
              std::string("HAWSER_PORT_BASE=") + bad + ": want a whole number from 1 to 65535");
  }
}

TEST(Parameters, ChoiceTakesOnlyWholeChoices) {
  {
    const ScopedEnv env("HAWSER_SOCKET_FAMILY", "ipv6");
    EXPECT_EQ(parameters::kSocketFamily.choice().value(), "ipv6");
  }
  for (const char* bad : {"ipv", "ipv4|ipv6", "IPv4"}) {
    const ScopedEnv env("HAWSER_SOCKET_FAMILY", bad);
    EXPECT_FALSE(parameters::kSocketFamily.choice().ok()) << bad;
  }
}

}  // namespace
}  // namespace hawser
