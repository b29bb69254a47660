// What libnccl-net-hawser.so shows, and what it says of itself through each version.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <sstream>

#include "support/nccl_plugin.h"
#include "support/subprocess.h"

namespace hawser::test {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr int kLoads = 100;

std::size_t entries_of(const char* folder) {
  const std::filesystem::directory_iterator all(folder);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST(PluginExports, OnlyTheTablesAreVisible) {
  const Outcome nm = run(Command{{"nm", "-D", "--defined-only", kHawserPlugin}, {}, {}, {}});
  if (nm.exit_code != 0) GTEST_SKIP() << "no nm: " << nm.describe();
  std::set<std::string> names;
  std::istringstream lines(nm.out);
  for (std::string address, type, name; lines >> address >> type >> name;) {
    EXPECT_THAT((std::set<std::string>{"D", "R", "V"}), testing::Contains(type)) << name;
    names.insert(name);
  }
  EXPECT_THAT(names,
              UnorderedElementsAre("ncclNetPlugin_v5", "ncclNetPlugin_v6", "ncclNetPlugin_v7",
                                   "ncclNetPlugin_v8", "ncclNetPlugin_v9", "ncclNetPlugin_v10",
                                   "ncclNetPlugin_v11", "ncclNetPlugin_v12"));
}

TEST(PluginExports, ItNeedsTheStandardLibrariesOnlyAndStaysLoaded) {
  const Outcome readelf = run(Command{{"readelf", "-dW", kHawserPlugin}, {}, {}, {}});
  if (readelf.exit_code != 0) GTEST_SKIP() << "no readelf: " << readelf.describe();
  EXPECT_THAT(readelf.out, HasSubstr("NODELETE"));
  const std::set<std::string> allowed = {"libstdc++.so.6", "libgcc_s.so.1", "libc.so.6",
                                         "libm.so.6", "ld-linux-x86-64.so.2",
                                         // of the sanitizers' builds
                                         "libasan.so.8", "libubsan.so.1", "libtsan.so.2"};
  std::istringstream lines(readelf.out);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("(NEEDED)") == std::string::npos) continue;
    const auto open = line.find('[');
    EXPECT_THAT(allowed, testing::Contains(line.substr(open + 1, line.find(']') - open - 1)));
  }
}

template <class Table>
int init_any(const LoadedPlugin<Table>& plugin, void** context) {
  abi::CommConfig config{abi::kTrafficClassUndefined};
  if constexpr (Table::kVersion >= 11)
    return plugin->init(context, 7, &config, &log_for_tests, nullptr);
  else if constexpr (Table::kVersion == 10)
    return plugin->init(&log_for_tests, nullptr);
  else
    return plugin->init(&log_for_tests);
}

template <class Table>
class PluginVersion : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(init_any(plugin_, &context_), abi::kSuccess); }
  void TearDown() override {
    if constexpr (Table::kVersion >= 11) {
      EXPECT_EQ(plugin_->finalize(context_), abi::kSuccess);
    }
  }

  LoadedPlugin<Table> plugin_;
  void* context_ = nullptr;
};

using AllTables = testing::Types<abi::NetV5, abi::NetV6, abi::NetV7, abi::NetV8, abi::NetV9,
                                 abi::NetV10, abi::NetV11, abi::NetV12>;
TYPED_TEST_SUITE(PluginVersion, AllTables);

TYPED_TEST(PluginVersion, TellsOfItsDevices) {
  EXPECT_STREQ(this->plugin_->name, "hawser");
  int count = 0;
  ASSERT_EQ(this->plugin_->devices(&count), abi::kSuccess);
  ASSERT_EQ(count, 1);
  typename TypeParam::Properties properties;
  std::memset(&properties, 0x5a, sizeof properties);
  ASSERT_EQ(this->plugin_->getProperties(0, &properties), abi::kSuccess);
  EXPECT_STREQ(properties.name, "lo");
  EXPECT_EQ(properties.pciPath, nullptr);
  EXPECT_EQ(properties.ptrSupport, abi::kHostPointer);
  EXPECT_GT(properties.speed, 0);
  EXPECT_GT(properties.maxComms, 1024);
  EXPECT_EQ(properties.maxRecvs, 8);
  if constexpr (requires { properties.regIsGlobal; }) {
    EXPECT_EQ(properties.regIsGlobal, 1);
  }
  if constexpr (requires { properties.forceFlush; }) {
    EXPECT_EQ(properties.forceFlush, 0);
  }
  if constexpr (requires { properties.netDeviceType; }) {
    EXPECT_EQ(properties.netDeviceType, abi::kDeviceHost);
  }
  if constexpr (requires { properties.vProps; }) {
    EXPECT_EQ(properties.vProps.ndevs, 1);
    EXPECT_EQ(properties.vProps.devs[0], 0);
    EXPECT_EQ(properties.maxP2pBytes, std::size_t{1} << 30);
    EXPECT_EQ(properties.maxCollBytes, std::size_t{1} << 30);
  }
  if constexpr (requires { properties.railId; }) {
    EXPECT_EQ(properties.railId, -1);
    EXPECT_EQ(properties.planeId, -1);
  }
}

TYPED_TEST(PluginVersion, ADeviceThatIsNotThereIsAnInvalidArgument) {
  typename TypeParam::Properties properties;
  EXPECT_EQ(this->plugin_->getProperties(1, &properties), abi::kInvalidArgument);
  EXPECT_EQ(this->plugin_->getProperties(-1, &properties), abi::kInvalidArgument);
  EXPECT_EQ(this->plugin_->getProperties(0, nullptr), abi::kInvalidArgument);
  EXPECT_EQ(this->plugin_->devices(nullptr), abi::kInvalidArgument);
}

TYPED_TEST(PluginVersion, LoadedAgainAndAgainItLeavesNothingBehind) {
  const std::size_t threads = entries_of("/proc/self/task");
  const std::size_t descriptors = entries_of("/proc/self/fd");
  for (int i = 0; i < kLoads; ++i) {
    const LoadedPlugin<TypeParam> again;
    void* context = nullptr;
    ASSERT_EQ(init_any(again, &context), abi::kSuccess);
    if constexpr (TypeParam::kVersion >= 11) {
      ASSERT_EQ(again->finalize(context), abi::kSuccess);
    }
  }
  EXPECT_EQ(entries_of("/proc/self/task"), threads);
  EXPECT_EQ(entries_of("/proc/self/fd"), descriptors);
}

TEST(PluginLoad, CommunicatorsComeAndGoWithTheirCore) {
  take_plugin_log();
  const std::size_t descriptors = entries_of("/proc/self/fd");
  for (int i = 0; i < kLoads; ++i) {
    const PluginUser user;
    PluginPair pair(user, 4096);
  }
  EXPECT_EQ(entries_of("/proc/self/fd"), descriptors);
  for (const std::string& line : take_plugin_log())
    EXPECT_THAT(line, testing::StartsWith(fmt::format("{} NET/hawser: ", int{abi::kLogInfo})));
}

TEST(PluginLoad, AContextThatIsFinalizedTwiceIsRefused) {
  const LoadedPlugin<abi::NetV12> plugin;
  void* context = nullptr;
  ASSERT_EQ(init_any(plugin, &context), abi::kSuccess);
  EXPECT_EQ(plugin->finalize(context), abi::kSuccess);
  EXPECT_EQ(plugin->finalize(context), abi::kInvalidArgument);
  EXPECT_EQ(plugin->finalize(nullptr), abi::kInvalidArgument);
}

}  // namespace
}  // namespace hawser::test
