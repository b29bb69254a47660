// The emulated TCPX as a loader sees it: symbols, table, init, devices, properties.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "emu_support.h"
#include "support/temp_dir.h"

namespace hawser::emu_test {
namespace {

TEST(EmuTable, ExportsTwoSymbolsOnly) {
  const Plugin plugin({}, false);
  std::FILE* pipe = popen(("nm -D --defined-only " + plugin.path()).c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::set<std::string> names;
  char address[32], kind[8], name[256];
  while (std::fscanf(pipe, "%31s %7s %255s", address, kind, name) == 3) names.insert(name);
  if (pclose(pipe) != 0) GTEST_SKIP() << "no nm here";
  EXPECT_EQ(names, (std::set<std::string>{"ncclNetPlugin_v7", "hawser_emu_stats"}));
}

TEST(EmuTable, IsVersion7WithTheEmulatedName) {
  const Plugin plugin({}, false);
  EXPECT_STREQ(plugin->name, "GPUDirectTCPX_emulated_v7");
  EXPECT_EQ(plugin->reg_mr_dma_buf, nullptr);
  std::array<void*, 19> slots;
  std::memcpy(slots.data(), plugin.operator->(), sizeof slots);
  for (std::size_t i = 0; i < slots.size(); ++i) EXPECT_EQ(slots[i] == nullptr, i == 8) << i;
}

TEST(EmuInit, OncePerProcess) {
  Plugin plugin;
  EXPECT_EQ(plugin.init(), emu::kInternalError);
  EXPECT_EQ(plugin.stats().violations, 1U);
  EXPECT_EQ(plugin.stats().calls[HAWSER_EMU_INIT], 2U);
}

TEST(EmuInit, WantsALogger) {
  const Plugin plugin({}, false);
  EXPECT_EQ(plugin->init(nullptr), emu::kInternalError);
  EXPECT_EQ(plugin.stats().violations, 1U);
}

TEST(EmuInit, ComesBeforeAllElse) {
  const Plugin plugin({}, false);
  int count = 0;
  EXPECT_EQ(plugin->devices(&count), emu::kInternalError);
  EXPECT_EQ(plugin.stats().violations, 1U);
}

TEST(EmuInit, LogsAndEveryLineSaysEmulated) {
  Plugin::clear_log();
  Plugin plugin;
  plugin->iflush(nullptr, 1, nullptr, nullptr, nullptr, nullptr);
  std::istringstream lines(Plugin::log());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    EXPECT_EQ(line.rfind("emulated TCPX: ", 0), 0U) << line;
  EXPECT_GE(count, 2);
}

TEST(EmuInit, RefusesAnEnvironmentItCannotRead) {
  for (const auto& [name, value] : Environment{{"HAWSER_EMU_POOL_PAGES", "0"},
                                               {"HAWSER_EMU_FRAGMENTS", "some"},
                                               {"HAWSER_EMU_BOUNCE", "gpu"},
                                               {"NCCL_DYNAMIC_CHUNK_SIZE", "512K"}}) {
    Plugin::clear_log();
    Plugin plugin(Environment{{name, value}}, false);
    EXPECT_EQ(plugin.init(), emu::kInvalidArgument) << name;
    EXPECT_NE(Plugin::log().find(name + "=" + value), std::string::npos) << Plugin::log();
  }
}

TEST(EmuInit, BounceInCudaNeedsADriver) {
  Plugin::clear_log();
  Plugin plugin(
      Environment{{"HAWSER_EMU_BOUNCE", "cuda"}, {"HAWSER_CUDA_LIBRARY", "libno-such-driver.so"}},
      false);
  EXPECT_EQ(plugin.init(), emu::kInvalidArgument);
  EXPECT_NE(Plugin::log().find("libno-such-driver.so"), std::string::npos);
}

TEST(EmuDevices, LoopbackIsLastAndLooksLikeTcpx) {
  Plugin plugin(Environment{{"HAWSER_CUDA_LIBRARY", "libno-such-driver.so"}});
  int count = 0;
  ASSERT_EQ(plugin->devices(&count), 0);
  ASSERT_GE(count, 1);
  emu::Properties properties{};
  ASSERT_EQ(plugin->get_properties(count - 1, &properties), 0);
  EXPECT_STREQ(properties.name, "lo");
  EXPECT_EQ(properties.pci_path, nullptr);
  EXPECT_EQ(properties.guid, static_cast<std::uint64_t>(count - 1));
  EXPECT_EQ(properties.pointer_support, emu::kPointerHost);  // CUDA's, too, where there is a driver
  EXPECT_EQ(properties.speed_mbps, 10000);
  EXPECT_EQ(properties.max_comms, 65536);
  EXPECT_EQ(properties.max_receives, 1);
  EXPECT_EQ(properties.net_device_type, 1);
  EXPECT_EQ(properties.net_device_version, 7);
}

TEST(EmuDevices, IfnameChooses) {
  const auto devices = [](const char* list) {
    Plugin plugin(Environment{{"NCCL_GPUDIRECTTCPX_SOCKET_IFNAME", list}});
    int count = -1;
    EXPECT_EQ(plugin->devices(&count), 0);
    return std::pair(count, plugin.device("lo"));
  };
  EXPECT_EQ(devices("lo"), std::pair(1, 0));
  EXPECT_EQ(devices("=lo"), std::pair(1, 0));
  EXPECT_EQ(devices("=l"), std::pair(0, -1));
  EXPECT_EQ(devices("no-such,l").second >= 0, true);
  EXPECT_EQ(devices("^lo").second, -1);
}

TEST(EmuDevices, SpeedAndPciPathComeFromSysfs) {
  const test::TempDir root;
  const std::filesystem::path net = std::filesystem::path(root.path()) / "class/net/lo";
  const std::filesystem::path pci = std::filesystem::path(root.path()) / "0000:06:00.0";
  std::filesystem::create_directories(net);
  std::filesystem::create_directories(pci);
  std::filesystem::create_symlink(pci, net / "device");
  std::ofstream(net / "speed") << "200000\n";
  Plugin plugin(Environment{{"HAWSER_SYSFS_ROOT", root.path()}});
  emu::Properties properties{};
  ASSERT_EQ(plugin->get_properties(plugin.device("lo"), &properties), 0);
  EXPECT_EQ(properties.speed_mbps, 200000);
  ASSERT_NE(properties.pci_path, nullptr);
  EXPECT_EQ(std::string(properties.pci_path), std::filesystem::canonical(pci).string());
}

TEST(EmuDevices, ThatDoNotExistAreViolations) {
  Plugin plugin;
  emu::Properties properties{};
  std::array<std::byte, emu::kHandleBytes> handle{};
  void* comm = nullptr;
  EXPECT_EQ(plugin->get_properties(99, &properties), emu::kInternalError);
  EXPECT_EQ(plugin->listen(99, handle.data(), &comm), emu::kInternalError);
  EXPECT_EQ(plugin->connect(-1, handle.data(), &comm, nullptr), emu::kInternalError);
  EXPECT_EQ(plugin.stats().violations, 3U);
}

}  // namespace
}  // namespace hawser::emu_test
