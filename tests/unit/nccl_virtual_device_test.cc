// makeVDevice: one device over several interfaces, and what is refused because NCCL would lose it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/fd.h"
#include "support/guarded_buffer.h"
#include "support/nccl_plugin.h"
#include "support/netns.h"
#include "support/scoped_env.h"
#include "support/temp_dir.h"

namespace hawser::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int kLinks = 3;
constexpr std::size_t kMessageBytes = 8 * 1024 * 1024;

// What sysfs would say of a NIC of two ports on node 0, and of one of its own on node 1.
void write_sysfs(const fs::path& root) {
  const char* const functions[kLinks] = {"0000:01:00.0", "0000:01:00.1", "0000:81:00.0"};
  for (int link = 0; link < kLinks; ++link) {
    const fs::path function = root / "devices" / "pci0000:00" / functions[link];
    const fs::path interface = root / "class" / "net" / NamespacePair::link_name(link);
    fs::create_directories(function);
    fs::create_directories(interface);
    std::ofstream(function / "numa_node") << (link < 2 ? 0 : 1) << '\n';
    std::ofstream(interface / "speed") << 25000 << '\n';
    fs::create_directory_symlink(function, interface / "device");
  }
}

abi::VirtualDeviceV12 members(std::initializer_list<int> devices) {
  abi::VirtualDeviceV12 props{};
  props.ndevs = static_cast<int>(devices.size());
  std::copy(devices.begin(), devices.end(), props.devs);
  return props;
}

// A library of its own for each test: the plugin holds on to what it found.
class PluginVirtualDevice : public testing::Test {
 protected:
  void SetUp() override {
    std::string why_not;
    namespaces_ = NamespacePair::create(kLinks, why_not);
    if (!namespaces_) GTEST_SKIP() << why_not;
    write_sysfs(sysfs_.path());
  }

  // With the plugin initialised, in a namespace with three interfaces.
  template <class Work>
  void with_plugin(Work work) {
    inside(namespaces_->a(), [&] {
      const std::string path = library_.file("libnccl-net-hawser.so");
      fs::copy_file(kHawserPlugin, path, fs::copy_options::skip_existing);
      LoadedPlugin<abi::NetV12> plugin(path);
      const ScopedEnvironment interfaces("HAWSER_SOCKET_IFNAME", "hw");
      const ScopedEnvironment family("HAWSER_SOCKET_FAMILY", "ipv4");
      const ScopedEnvironment sysfs("HAWSER_SYSFS_ROOT", sysfs_.path().c_str());
      abi::CommConfig config{abi::kTrafficClassUndefined};
      void* context = nullptr;
      ASSERT_EQ(plugin->init(&context, 1, &config, &log_for_tests, nullptr), abi::kSuccess);
      work(plugin, context);
      EXPECT_EQ(plugin->finalize(context), abi::kSuccess);
    });
  }

  TempDir sysfs_, library_;
  std::unique_ptr<NamespacePair> namespaces_;
};

using Plugin = LoadedPlugin<abi::NetV12>;

int count_devices(const Plugin& plugin) {
  int count = -1;
  EXPECT_EQ(plugin->devices(&count), abi::kSuccess);
  return count;
}

struct Ends {
  void* sender = nullptr;
  void* receiver = nullptr;
};

Ends connect_over(const Plugin& plugin, void* context, int device) {
  Ends ends;
  PluginHandle handle;
  void* listening = nullptr;
  EXPECT_EQ(plugin->listen(context, device, handle.bytes, &listening), abi::kSuccess);
  const Deadline deadline = Deadline::after(kPluginPatience);
  for (Backoff backoff; !(ends.sender && ends.receiver) && !deadline.expired(); backoff.idle()) {
    if (!ends.sender) {
      EXPECT_EQ(plugin->connect(context, device, handle.bytes, &ends.sender, nullptr),
                abi::kSuccess);
    }
    if (!ends.receiver) {
      EXPECT_EQ(plugin->accept(listening, &ends.receiver, nullptr), abi::kSuccess);
    }
  }
  EXPECT_EQ(plugin->closeListen(listening), abi::kSuccess);
  return ends;
}

void move_a_message(const Plugin& plugin, const Ends& ends) {
  GuardedBuffer from(kMessageBytes), to(kMessageBytes);
  fill_pattern(from.span(0, kMessageBytes), 1);
  void* from_handle = nullptr;
  void* to_handle = nullptr;
  ASSERT_EQ(plugin->regMr(ends.sender, from.data(), kMessageBytes, abi::kHostPointer, &from_handle),
            0);
  ASSERT_EQ(plugin->regMr(ends.receiver, to.data(), kMessageBytes, abi::kHostPointer, &to_handle),
            0);
  void* data = to.data();
  std::size_t size = kMessageBytes;
  int tag = 0;
  void* receive = nullptr;
  void* send = nullptr;
  ASSERT_EQ(plugin->irecv(ends.receiver, 1, &data, &size, &tag, &to_handle, nullptr, &receive), 0);
  const Deadline deadline = Deadline::after(kPluginPatience);
  while (send == nullptr && !deadline.expired())
    ASSERT_EQ(
        plugin->isend(ends.sender, from.data(), kMessageBytes, 0, from_handle, nullptr, &send), 0);
  int sent = 0;
  int received = 0;
  for (Backoff backoff; !(sent && received) && !deadline.expired(); backoff.idle()) {
    if (!sent) {
      ASSERT_EQ(plugin->test(send, &sent, nullptr), abi::kSuccess);
    }
    if (!received) {
      ASSERT_EQ(plugin->test(receive, &received, nullptr), abi::kSuccess);
    }
  }
  EXPECT_TRUE(sent && received);
  EXPECT_EQ(pattern_mismatch(to.span(0, kMessageBytes), 1), "");
  EXPECT_EQ(plugin->deregMr(ends.sender, from_handle), abi::kSuccess);
  EXPECT_EQ(plugin->deregMr(ends.receiver, to_handle), abi::kSuccess);
}

TEST_F(PluginVirtualDevice, StripesOverItsInterfacesAndLooksAsNcclWantsIt) {
  with_plugin([](const Plugin& plugin, void* context) {
    ASSERT_EQ(count_devices(plugin), kLinks);
    auto props = members({0, 1});
    int device = -1;
    ASSERT_EQ(plugin->makeVDevice(&device, &props), abi::kSuccess);
    EXPECT_EQ(device, kLinks);  // behind the physical ones
    EXPECT_EQ(count_devices(plugin), kLinks + 1);
    abi::PropertiesV12 told{};
    ASSERT_EQ(plugin->getProperties(device, &told), abi::kSuccess);
    EXPECT_STREQ(told.name, "hw0+hw1");
    EXPECT_EQ(told.speed, 50000);
    EXPECT_EQ(told.vProps.ndevs, 2);
    EXPECT_EQ(told.vProps.devs[0], 0);
    EXPECT_EQ(told.vProps.devs[1], 1);
    ASSERT_EQ(plugin->getProperties(2, &told), abi::kSuccess);
    EXPECT_STREQ(told.name, "hw2");
    EXPECT_EQ(told.vProps.ndevs, 1);
    EXPECT_EQ(told.vProps.devs[0], 2);
    const Ends ends = connect_over(plugin, context, device);
    ASSERT_TRUE(ends.sender && ends.receiver);
    move_a_message(plugin, ends);
    EXPECT_EQ(plugin->closeSend(ends.sender), abi::kSuccess);
    EXPECT_EQ(plugin->closeRecv(ends.receiver), abi::kSuccess);
  });
}

TEST_F(PluginVirtualDevice, GoesWithTheLastCommunicator) {
  with_plugin([](const Plugin& plugin, void*) {
    auto props = members({0, 1});
    int device = -1;
    ASSERT_EQ(plugin->makeVDevice(&device, &props), abi::kSuccess);
  });
  with_plugin([](const Plugin& plugin, void*) { EXPECT_EQ(count_devices(plugin), kLinks); });
}

TEST_F(PluginVirtualDevice, WhatNcclCouldNotPlaceIsRefused) {
  with_plugin([](const Plugin& plugin, void*) {
    int device = -1;
    auto other_node = members({0, 2});
    EXPECT_NE(plugin->makeVDevice(&device, &other_node), abi::kSuccess);
    EXPECT_THAT(take_plugin_log(), testing::Contains(HasSubstr("different NUMA nodes")));
    auto twice = members({1, 1});
    EXPECT_NE(plugin->makeVDevice(&device, &twice), abi::kSuccess);
    auto unknown = members({0, 9});
    EXPECT_NE(plugin->makeVDevice(&device, &unknown), abi::kSuccess);
    auto none = members({});
    EXPECT_NE(plugin->makeVDevice(&device, &none), abi::kSuccess);
    EXPECT_NE(plugin->makeVDevice(&device, nullptr), abi::kSuccess);
    EXPECT_EQ(count_devices(plugin), kLinks);
  });
}

TEST(PluginVirtualDeviceTables, OlderNcclIsNotOfferedIt) {
  const PluginUser user;
  EXPECT_NE(user.plugin()->makeVDevice, nullptr);
  EXPECT_NE(LoadedPlugin<abi::NetV11>()->makeVDevice, nullptr);
  EXPECT_EQ(LoadedPlugin<abi::NetV10>()->makeVDevice, nullptr);
  EXPECT_EQ(LoadedPlugin<abi::NetV9>()->makeVDevice, nullptr);
}

// Loopback has no PCI path.
TEST(PluginVirtualDeviceTables, AVirtualInterfaceIsRefused) {
  const PluginUser user;
  take_plugin_log();
  auto props = members({0});
  int device = -1;
  EXPECT_NE(user.plugin()->makeVDevice(&device, &props), abi::kSuccess);
  EXPECT_THAT(take_plugin_log(), testing::Contains(HasSubstr("lo has no PCI path")));
}

// What the first communicator of a process leaves in its environment; `variable` is set before.
void print_chunk_size(const char* variable, const char* value) {
  unsetenv("NCCL_P2P_NET_CHUNKSIZE");
  if (variable != nullptr) setenv(variable, value, 1);
  const PluginUser user;
  const char* const size = getenv("NCCL_P2P_NET_CHUNKSIZE");
  std::fprintf(stderr, "chunks: %s.\n", size == nullptr ? "NCCL's" : size);
  std::_Exit(0);
}

TEST(PluginTuningDeathTest, TheChunkSizeIsSetUnlessTheUserSaysOtherwise) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto fine = testing::ExitedWithCode(0);
  EXPECT_EXIT(print_chunk_size("HAWSER_NCCL_TUNING", "off"), fine, "chunks: NCCL's\\.");
  EXPECT_EXIT(print_chunk_size("NCCL_P2P_NET_CHUNKSIZE", "262144"), fine, "chunks: 262144\\.");
  EXPECT_EXIT(print_chunk_size(nullptr, nullptr), fine, "chunks: 524288\\.");
}

}  // namespace
}  // namespace hawser::test
