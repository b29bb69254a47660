#include <gtest/gtest.h>
#include <net/if.h>

#include <algorithm>
#include <filesystem>

#include "machine/interfaces.h"
#include "support/temp_dir.h"

namespace hawser {
namespace {

namespace fs = std::filesystem;
constexpr unsigned kUp = IFF_UP;
constexpr unsigned kLoopback = IFF_UP | IFF_LOOPBACK;

AddressRecord record(const char* name, unsigned index, unsigned flags, const char* address = "") {
  return {name, index, flags, IpAddress::parse(address)};
}

AddressSource source(std::vector<AddressRecord> records) {
  return [records = std::move(records)] { return Result<std::vector<AddressRecord>>(records); };
}

// A sysfs with as much in it as the test puts there.
class TopologyInterfaces : public testing::Test {
 protected:
  // A NIC whose device link leads to `device`, below the root.
  void add_nic(const std::string& name, const std::string& device, const char* speed,
               const char* numa_node) {
    const fs::path folder = root() / "class/net" / name;
    fs::create_directories(folder);
    fs::create_directories(root() / device);
    if (*speed != '\0') test::write_file((folder / "speed").string(), speed);
    fs::create_symlink(root() / device, folder / "device");
    fs::path function = root() / device;
    if (function.filename().string().starts_with("virtio")) function = function.parent_path();
    if (*numa_node != '\0') test::write_file((function / "numa_node").string(), numa_node);
  }

  std::vector<Interface> list(std::vector<AddressRecord> records) {
    auto listed = list_interfaces(dir_.path(), source(std::move(records)));
    EXPECT_TRUE(listed.ok());
    return listed.ok() ? *listed : std::vector<Interface>();
  }
  fs::path root() const { return fs::canonical(dir_.path()); }

 private:
  test::TempDir dir_;
};

TEST_F(TopologyInterfaces, KernelOrderHoldsButLoopbackComesLast) {
  const auto found =
      list({record("lo", 1, kLoopback), record("eth1", 2, kUp), record("eth0", 3, kUp),
            record("lo", 0, kLoopback, "127.0.0.1"), record("eth1", 0, kUp, "10.0.0.1"),
            record("eth0", 0, kUp, "10.0.1.1"), record("eth1", 0, kUp, "2001:db8::1")});
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].name, "eth1");
  EXPECT_EQ(found[0].index, 2u);
  ASSERT_EQ(found[0].addresses.size(), 2u);
  EXPECT_EQ(found[0].addresses[1].text(), "2001:db8::1");
  EXPECT_EQ(found[1].name, "eth0");
  EXPECT_EQ(found[2].name, "lo");
  EXPECT_TRUE(found[2].loopback);
}

TEST_F(TopologyInterfaces, WhatIsDownOrHasNoAddressIsNotOffered) {
  EXPECT_TRUE(list({record("eth0", 2, 0, "10.0.0.1"), record("eth1", 3, kUp)}).empty());
}

TEST_F(TopologyInterfaces, AnAddressLabelIsNoInterface) {
  const auto found =
      list({record("eth0", 2, kUp, "10.0.0.1"), record("eth0:backup", 2, kUp, "10.0.0.2")});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].addresses.size(), 2u);
}

TEST_F(TopologyInterfaces, SpeedPathAndNumaNodeComeFromSysfs) {
  add_nic("eth0", "devices/pci0000:00/0000:00:04.0", "200000\n", "1\n");
  const auto found = list({record("eth0", 2, kUp, "10.0.0.1")});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].speed_mbps, 200000);
  EXPECT_FALSE(found[0].speed_assumed);
  EXPECT_EQ(found[0].pci_path, (root() / "devices/pci0000:00/0000:00:04.0").string());
  EXPECT_EQ(found[0].numa_node, 1);
}

TEST_F(TopologyInterfaces, AVirtioNicIsItsPciFunction) {
  add_nic("eth0", "devices/pci0000:00/0000:00:03.0/virtio1", "-1\n", "-1\n");
  const auto found = list({record("eth0", 2, kUp, "10.0.0.1")});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].pci_path, (root() / "devices/pci0000:00/0000:00:03.0").string());
  EXPECT_EQ(found[0].numa_node, -1);
}

TEST_F(TopologyInterfaces, AnUnknownSpeedIsAssumedAndSaysSo) {
  add_nic("minus", "devices/a", "-1\n", "");
  add_nic("garbage", "devices/b", "fast\n", "");
  add_nic("silent", "devices/c", "", "");
  const auto found =
      list({record("minus", 2, kUp, "10.0.0.1"), record("garbage", 3, kUp, "10.0.1.1"),
            record("silent", 4, kUp, "10.0.2.1"), record("gone", 5, kUp, "10.0.3.1")});
  ASSERT_EQ(found.size(), 4u);
  for (const Interface& interface : found) {
    EXPECT_EQ(interface.speed_mbps, kAssumedSpeedMbps) << interface.name;
    EXPECT_TRUE(interface.speed_assumed) << interface.name;
  }
  EXPECT_EQ(found[3].pci_path, "");  // virtual
}

// As docker, a bond, a VLAN and a bridge with and without a NIC look in sysfs.
TEST_F(TopologyInterfaces, WhatLeadsToOtherMachinesComesFirst) {
  const auto folder = [this](const std::string& name, const std::string& type) {
    fs::create_directories(root() / "class/net" / name);
    test::write_file((root() / "class/net" / name / "uevent").string(),
                     "INTERFACE=" + name + "\nDEVTYPE=" + type + "\n");
    return root() / "class/net" / name;
  };
  const auto lower = [&](const fs::path& upper, const std::string& name) {
    fs::create_directory_symlink(root() / "class/net" / name, upper / ("lower_" + name));
  };
  add_nic("eth0", "devices/a", "", "");
  lower(folder("bond0", "bond"), "eth0");
  lower(folder("bond0.7", "vlan"), "bond0");
  lower(folder("br0", "bridge"), "eth0");
  folder("br1", "bridge");
  folder("docker0", "bridge");
  folder("net1", "macvlan");  // of a container: the NIC is in another namespace
  folder("wg0", "wireguard");
  fs::create_directories(root() / "class/net/veth0");
  lower(root() / "class/net/br1", "veth0");
  const std::vector<std::pair<std::string, InterfaceKind>> expected = {
      {"eth0", InterfaceKind::device},     {"bond0", InterfaceKind::device},
      {"bond0.7", InterfaceKind::device},  {"br0", InterfaceKind::device},
      {"net1", InterfaceKind::device},     {"veth0", InterfaceKind::software},
      {"wg0", InterfaceKind::software},    {"br1", InterfaceKind::internal},
      {"docker0", InterfaceKind::internal}};
  std::vector<AddressRecord> records;
  for (auto it = expected.rbegin(); it != expected.rend(); ++it)
    records.push_back(
        record(it->first.c_str(), static_cast<unsigned>(records.size() + 2), kUp, "10.0.0.1"));
  for (const Interface& found : list(records))
    EXPECT_EQ(
        found.kind,
        std::ranges::find(expected, found.name, [](const auto& one) { return one.first; })->second)
        << found.name;
  EXPECT_EQ(list(records).front().kind, InterfaceKind::device);
  EXPECT_EQ(list(records).back().kind, InterfaceKind::internal);
}

TEST_F(TopologyInterfaces, AnErrorOfTheSourceIsTheResult) {
  const auto failed = list_interfaces(
      "/sys", [] { return Result<std::vector<AddressRecord>>(Error(Code::system, "no netlink")); });
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().message(), "no netlink");
}

TEST(TopologySystem, ThisMachineHasALoopback) {
  const auto found = list_interfaces("/sys");
  ASSERT_TRUE(found.ok()) << found.error().message();
  ASSERT_FALSE(found->empty());
  EXPECT_TRUE(found->back().loopback);
  EXPECT_TRUE(found->back().addresses.front().loopback());
  EXPECT_EQ(found->back().index, if_nametoindex(found->back().name.c_str()));
}

}  // namespace
}  // namespace hawser
