#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "machine/gpu_nic_map.h"
#include "support/sysfs_tree.h"

namespace hawser {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The GPUs and NICs of a described machine, as the code finds them.
struct Machine {
  explicit Machine(const std::string& name) : tree(name) {
    for (const std::string& address : tree.gpu_addresses())
      gpus.push_back(find_pci_function(tree.root(), address, address));
    const auto interfaces = list_interfaces(
        tree.root(), [this] { return Result<std::vector<AddressRecord>>(tree.interfaces()); });
    EXPECT_TRUE(interfaces.ok());
    for (const Interface& nic : *interfaces)
      nics.push_back({nic.name, nic.pci_path, nic.numa_node});
  }

  // "eth1", "eth1,eth2" for each GPU.
  std::vector<std::string> names_of(const std::vector<GpuNics>& map) const {
    std::vector<std::string> all;
    for (const GpuNics& entry : map) {
      std::string names;
      for (const std::size_t nic : entry.nics) names += (names.empty() ? "" : ",") + nics[nic].name;
      all.push_back(names);
    }
    return all;
  }

  test::SysfsTree tree;
  std::vector<PciPlace> gpus, nics;
};

TEST(GpuNicMap, TwoGpusShareTheNicOfTheirSwitch) {
  const Machine machine("a3_high");
  const auto map = map_gpus_to_nics(machine.gpus, machine.nics);
  EXPECT_THAT(machine.names_of(map),
              ElementsAre("eth1", "eth1", "eth2", "eth2", "eth3", "eth3", "eth4", "eth4"));
  for (const GpuNics& entry : map) EXPECT_EQ(entry.reason, "under the same PCIe switch");
}

TEST(GpuNicMap, EachGpuHasItsOwnAndStorageNicsServeNone) {
  const Machine machine("dgx");
  EXPECT_THAT(machine.names_of(map_gpus_to_nics(machine.gpus, machine.nics)),
              ElementsAre("ib0", "ib1", "ib2", "ib3", "ib4", "ib5", "ib6", "ib7"));
}

TEST(GpuNicMap, AFarNicIsBetterThanNone) {
  const Machine machine("plain_server");
  const auto map = map_gpus_to_nics(machine.gpus, machine.nics);
  EXPECT_THAT(machine.names_of(map), ElementsAre("eno1", "eno1"));
  EXPECT_EQ(map[0].reason, "at the same PCIe host bridge");
  EXPECT_EQ(map[1].reason, "on another NUMA node");
}

TEST(GpuNicMap, WhereNothingIsKnownAllServeAll) {
  const std::vector<PciPlace> gpus{{"GPU 0", "", -1}};
  const std::vector<PciPlace> nics{{"eth0", "", -1}, {"eth1", "", -1}};
  const auto map = map_gpus_to_nics(gpus, nics);
  ASSERT_EQ(map.size(), 1u);
  EXPECT_THAT(map[0].nics, ElementsAre(0u, 1u));
  EXPECT_EQ(map[0].reason, "not known to be near");
  EXPECT_TRUE(map_gpus_to_nics(gpus, {}).empty());
}

TEST(GpuNicMap, TheUserMayOverrideIt) {
  const Machine machine("a3_high");
  const auto map = map_gpus_to_nics(machine.gpus, machine.nics, "0=eth2,eth1;7=eth0");
  ASSERT_TRUE(map.ok()) << map.error().message();
  EXPECT_THAT(machine.names_of(*map),
              ElementsAre("eth1,eth2", "eth1", "eth2", "eth2", "eth3", "eth3", "eth4", "eth0"));
  EXPECT_EQ((*map)[0].reason, "as asked for");
  EXPECT_EQ((*map)[1].reason, "under the same PCIe switch");
}

TEST(GpuNicMap, AWrongOverrideIsNamed) {
  const Machine machine("a3_high");
  const auto why = [&](const std::string& text) {
    const auto map = map_gpus_to_nics(machine.gpus, machine.nics, text);
    return map.ok() ? "no error" : map.error().message();
  };
  EXPECT_THAT(why("8=eth1"), HasSubstr("there is no GPU 8, only 8"));
  EXPECT_THAT(why("x=eth1"), HasSubstr("'x' is no GPU's number"));
  EXPECT_THAT(why("-1=eth1"), HasSubstr("'-1' is no GPU's number"));
  EXPECT_THAT(why("0=eth9"), HasSubstr("there is no NIC 'eth9', only eth0, eth1"));
  EXPECT_THAT(why("0="), HasSubstr("it names no NIC"));
  EXPECT_THAT(why("0"), HasSubstr("it names no NIC"));
  EXPECT_THAT(why("0=eth1,eth1"), HasSubstr("eth1 stands there twice"));
  EXPECT_THAT(why("0=eth1;0=eth2"), HasSubstr("GPU 0 stands there twice"));
}

TEST(PciProximity, KnowsWhatLiesBetween) {
  const auto at = [](const char* path, int numa_node) {
    return PciPlace{"", std::string("/sys/devices/") + path, numa_node};
  };
  const PciPlace gpu = at("pci0000:10/0000:10:01.0/0000:11:00.0/0000:12:00.0/0000:13:00.0", 0);
  EXPECT_EQ(proximity(gpu, at("pci0000:10/0000:10:01.0/0000:11:00.0/0000:12:01.0/0000:14:00.0", 0)),
            Proximity::same_switch);
  EXPECT_EQ(proximity(gpu, at("pci0000:10/0000:10:01.0/0000:11:00.0/0000:12:00.0/0000:13:00.1", 0)),
            Proximity::same_switch);
  EXPECT_EQ(proximity(gpu, at("pci0000:10/0000:10:01.0/0000:11:00.0/0000:12:01.0/0000:14:00.0/"
                              "0000:15:00.0/0000:16:00.0",
                              0)),
            Proximity::same_root_port);
  EXPECT_EQ(proximity(gpu, at("pci0000:10/0000:10:02.0/0000:20:00.0", 0)),
            Proximity::same_host_bridge);
  EXPECT_EQ(proximity(gpu, at("pci0000:30/0000:30:02.0/0000:31:00.0", 0)),
            Proximity::same_numa_node);
  EXPECT_EQ(proximity(gpu, at("pci0000:80/0000:80:02.0/0000:81:00.0", 1)), Proximity::apart);
  EXPECT_EQ(proximity(gpu, at("pci0000:80/0000:80:02.0/0000:81:00.0", -1)), Proximity::apart);
  EXPECT_EQ(proximity(gpu, {"lo", "", -1}), Proximity::unknown);
  EXPECT_EQ(proximity(gpu, at("virtual/net/veth0", -1)), Proximity::unknown);
}

TEST(PciPlace, OfAFunctionThatIsNotThereIsEmpty) {
  const test::SysfsTree tree("plain_server");
  const PciPlace none = find_pci_function(tree.root(), "GPU 0", "0000:ff:00.0");
  EXPECT_EQ(none.path, "");
  EXPECT_EQ(none.numa_node, -1);
}

}  // namespace
}  // namespace hawser
