// Sizes, CPU lists and the bounds of every option.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/cpus.h"
#include "perf/affinity.h"
#include "perf/options.h"
#include "perf/sizes.h"

namespace hawser {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(PerfSizes, AreReadWithTheirUnits) {
  EXPECT_EQ(*parse_bytes("8"), 8u);
  EXPECT_EQ(*parse_bytes("4K"), 4096u);
  EXPECT_EQ(*parse_bytes("4kib"), 4096u);
  EXPECT_EQ(*parse_bytes("1MB"), 1048576u);
  EXPECT_EQ(*parse_bytes("1g"), 1073741824u);
  for (const char* wrong :
       {"", "K", "4X", "4KK", "-1", "1.5M", "4 K", "99999999999999999999", "17179869184G"})
    EXPECT_FALSE(parse_bytes(wrong).ok()) << wrong;
}

TEST(PerfSizes, ListsKeepTheirOrderAndEachSizeOnce) {
  EXPECT_THAT(*parse_sizes("64K,8,1G,8"), ElementsAre(65536u, 8u, 1073741824u));
  for (const char* wrong : {"", "4", "2G", "8,,9", "8,", "8;9"})
    EXPECT_FALSE(parse_sizes(wrong).ok()) << wrong;
  std::string many = "8";
  for (int i = 9; i < 100; ++i) many.append(",").append(std::to_string(i));
  EXPECT_FALSE(parse_sizes(many).ok());
}

TEST(PerfSizes, AreWrittenInTheLargestUnitThatIsExact) {
  EXPECT_EQ(size_text(8), "8 B");
  EXPECT_EQ(size_text(4096), "4 KiB");
  EXPECT_EQ(size_text(4097), "4097 B");
  EXPECT_EQ(size_text(std::uint64_t{1} << 30), "1 GiB");
  EXPECT_EQ(size_text(0), "0 B");
}

TEST(PerfCpus, AreReadAndWrittenAsRanges) {
  EXPECT_THAT(*parse_cpus("8,0-2,2"), ElementsAre(0, 1, 2, 8));
  EXPECT_EQ(cpus_text({0, 1, 2, 8, 10, 11}), "0-2,8,10-11");
  EXPECT_EQ(cpus_text({}), "");
  for (const char* wrong : {"", "a", "3-1", "1-", "-1", "0,", "99999999"})
    EXPECT_FALSE(parse_cpus(wrong).ok()) << wrong;
}

TEST(PerfCpus, HalvesShareNoCore) {
  const auto pairs = [](int cpu) { return std::to_string(cpu % 4); };  // 0 and 4 are one core
  const CpuHalves halves = halve({0, 1, 2, 3, 4, 5, 6, 7}, pairs);
  EXPECT_EQ(halves.first, "0-1,4-5");
  EXPECT_EQ(halves.second, "2-3,6-7");
  const auto alone = [](int cpu) { return std::to_string(cpu); };
  EXPECT_EQ(halve({0, 1, 2}, alone).first, "0");
  EXPECT_EQ(halve({0, 1, 2}, alone).second, "1-2");
  EXPECT_EQ(halve({0, 4}, pairs).first, "") << "one core cannot be halved";
  EXPECT_EQ(halve({}, alone).second, "");
}

TEST(PerfCpus, PinningLastsAsLongAsItsObject) {
  const std::vector<int> before = allowed_cpus();
  ASSERT_FALSE(before.empty());
  {
    const auto pinned = ScopedAffinity::pin({before.back()});
    ASSERT_TRUE(pinned.ok()) << pinned.error().message();
    EXPECT_THAT(allowed_cpus(), ElementsAre(before.back()));
  }
  EXPECT_EQ(allowed_cpus(), before);
  EXPECT_FALSE(ScopedAffinity::pin({65535}).ok());
  EXPECT_EQ(allowed_cpus(), before);
}

PerfOptions good_client() {
  PerfOptions options;
  options.role = Role::client;
  options.address = "127.0.0.1";
  return options;
}

template <class Change>
std::string problem(Change&& change) {
  PerfOptions options = good_client();
  change(options);
  const Status checked = check_options(options);
  return checked.ok() ? "" : checked.error().message();
}

TEST(PerfOptionsCheck, AcceptsTheDefaults) {
  EXPECT_EQ(problem([](PerfOptions&) {}), "");
  EXPECT_TRUE(check_options(completed(good_client())).ok());
  EXPECT_FALSE(completed(good_client()).sizes.empty());
}

TEST(PerfOptionsCheck, NamesWhatIsOutOfRange) {
  EXPECT_THAT(problem([](auto& o) { o.address.clear(); }), HasSubstr("address"));
  EXPECT_THAT(problem([](auto& o) { o.channels = -1; }), HasSubstr("channels"));
  EXPECT_THAT(problem([](auto& o) { o.channels = 65; }), HasSubstr("--over net takes more"));
  EXPECT_EQ(problem([](auto& o) { o.channels = 65, o.over = PerfOver::net; }), "");
  EXPECT_THAT(problem([](auto& o) { o.channels = 1025, o.over = PerfOver::net; }),
              HasSubstr("channels: 1025, want 0 to"));
  EXPECT_THAT(problem([](auto& o) { o.threads = -1; }), HasSubstr("threads"));
  EXPECT_THAT(problem([](auto& o) { o.window = -1; }), HasSubstr("window"));
  EXPECT_THAT(problem([](auto& o) { o.repeats = 0; }), HasSubstr("repeats"));
  EXPECT_THAT(problem([](auto& o) { o.timeout_ms = 1; }), HasSubstr("timeout"));
  EXPECT_THAT(problem([](auto& o) { o.duration_ms = 20'000; }), HasSubstr("duration"));
  EXPECT_THAT(problem([](auto& o) { o.bare_sockets = -2; }), HasSubstr("bare sockets"));
  EXPECT_THAT(problem([](auto& o) { o.ring_bytes = 0; }), HasSubstr("ring bytes"));
  EXPECT_THAT(problem([](auto& o) { o.sizes = {4}; }), HasSubstr("sizes"));
  EXPECT_THAT(problem([](auto& o) { o.gpu = -1; }), HasSubstr("gpu"));
  EXPECT_NE(problem([](auto& o) { o.port_base = 70'000; }), "");
  EXPECT_NE(problem([](auto& o) { o.port_base = 0; }), "") << "only a server can choose";
}

}  // namespace
}  // namespace hawser
