#include <gtest/gtest.h>

#include <cstdlib>

#include "machine/interface_selection.h"

namespace hawser {
namespace {

Interface interface(const char* name, std::vector<const char*> addresses) {
  Interface made;
  made.name = name;
  for (const char* text : addresses) made.addresses.push_back(IpAddress::parse(text).value());
  return made;
}

std::vector<Interface> machine() {
  return {interface("eth0", {"10.0.0.1", "fe80::1", "2001:db8::1"}),
          interface("eth1", {"fe80::2", "2001:db8::2"}), interface("eth10", {"10.0.10.1"}),
          interface("docker0", {"172.17.0.1"}), interface("lo", {"127.0.0.1", "::1"})};
}

// "eth0=10.0.0.1 lo=127.0.0.1", or the error.
std::string select(const std::string& names, FamilyChoice family = FamilyChoice::any) {
  InterfaceSelection selection;
  selection.names = names;
  selection.family = family;
  const auto selected = select_interfaces(machine(), selection);
  if (!selected.ok()) return selected.error().message();
  std::string out;
  for (const SelectedInterface& one : *selected)
    out += (out.empty() ? "" : " ") + one.interface.name + "=" + one.address.text();
  return out;
}

TEST(InterfaceSelection, UnsetTakesAllWithIpv4BeforeGlobalIpv6) {
  EXPECT_EQ(select(""),
            "eth0=10.0.0.1 eth1=2001:db8::2 eth10=10.0.10.1 docker0=172.17.0.1 lo=127.0.0.1");
}

TEST(InterfaceSelection, PrefixesSelectInTheOrderOfTheList) {
  EXPECT_EQ(select("eth1"), "eth1=2001:db8::2 eth10=10.0.10.1");
  EXPECT_EQ(select("lo,eth"), "lo=127.0.0.1 eth0=10.0.0.1 eth1=2001:db8::2 eth10=10.0.10.1");
  EXPECT_EQ(select("eth0,,eth0"), "eth0=10.0.0.1");
}

TEST(InterfaceSelection, ExactNamesAreExact) {
  EXPECT_EQ(select("=eth1,lo"), "eth1=2001:db8::2 lo=127.0.0.1");
}

TEST(InterfaceSelection, ExclusionLeavesTheRest) {
  EXPECT_EQ(select("^docker,lo"), "eth0=10.0.0.1 eth1=2001:db8::2 eth10=10.0.10.1");
  EXPECT_EQ(select("^=eth1,docker0,lo"), "eth0=10.0.0.1 eth10=10.0.10.1");
}

TEST(InterfaceSelection, TheFamilyChoosesTheAddress) {
  EXPECT_EQ(select("eth", FamilyChoice::ipv4), "eth0=10.0.0.1 eth10=10.0.10.1");
  EXPECT_EQ(select("", FamilyChoice::ipv6), "eth0=2001:db8::1 eth1=2001:db8::2 lo=::1");
}

TEST(InterfaceSelection, LinkLocalIsTheLastResort) {
  const auto selected = select_interfaces({interface("eth7", {"fe80::7"})}, {});
  ASSERT_TRUE(selected.ok());
  EXPECT_EQ(selected->front().address.text(), "fe80::7");
}

TEST(InterfaceSelection, NothingLeftNamesTheSettingAndWhatThereIs) {
  EXPECT_EQ(select("ib"),
            "the interface list='ib' leaves no network interface to use: up with an address are "
            "eth0 (10.0.0.1, fe80::1, 2001:db8::1) eth1 (fe80::2, 2001:db8::2) eth10 (10.0.10.1) "
            "docker0 (172.17.0.1) lo (127.0.0.1, ::1)");
  EXPECT_NE(select("=eth10", FamilyChoice::ipv6).find("='=eth10' with the address family=ipv6"),
            std::string::npos);
  const auto none = select_interfaces({}, {});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code(), Code::unavailable);
  EXPECT_EQ(none.error().message(),
            "no network interface to use: no interface is up with an address");
}

// The four variables, as one test wants them.
class InterfaceSelectionEnv : public testing::Test {
 protected:
  void SetUp() override { clear(); }
  void TearDown() override { clear(); }
  void set(const char* name, const char* value) { setenv(name, value, 1); }

 private:
  static void clear() {
    for (const char* name : {"HAWSER_SOCKET_IFNAME", "HAWSER_SOCKET_FAMILY", "NCCL_SOCKET_IFNAME",
                             "NCCL_SOCKET_FAMILY"})
      unsetenv(name);
  }
};

TEST_F(InterfaceSelectionEnv, NothingSetIsEverything) {
  const auto selection = InterfaceSelection::from_environment();
  ASSERT_TRUE(selection.ok());
  EXPECT_EQ(selection->names, "");
  EXPECT_EQ(selection->family, FamilyChoice::any);
}

TEST_F(InterfaceSelectionEnv, NcclsVariablesStandIn) {
  set("NCCL_SOCKET_IFNAME", "=eth1");
  set("NCCL_SOCKET_FAMILY", "AF_INET6");
  const auto selection = InterfaceSelection::from_environment();
  ASSERT_TRUE(selection.ok());
  EXPECT_EQ(selection->names, "=eth1");
  EXPECT_EQ(selection->names_setting, "NCCL_SOCKET_IFNAME");
  EXPECT_EQ(selection->family, FamilyChoice::ipv6);
  EXPECT_EQ(selection->family_setting, "NCCL_SOCKET_FAMILY");
}

TEST_F(InterfaceSelectionEnv, OursComeFirst) {
  set("HAWSER_SOCKET_IFNAME", "eth2");
  set("HAWSER_SOCKET_FAMILY", "ipv4");
  set("NCCL_SOCKET_IFNAME", "=eth1");
  set("NCCL_SOCKET_FAMILY", "AF_INET6");
  const auto selection = InterfaceSelection::from_environment();
  ASSERT_TRUE(selection.ok());
  EXPECT_EQ(selection->names, "eth2");
  EXPECT_EQ(selection->names_setting, "HAWSER_SOCKET_IFNAME");
  EXPECT_EQ(selection->family, FamilyChoice::ipv4);
}

TEST_F(InterfaceSelectionEnv, AFamilyThatIsNoneIsAnError) {
  set("NCCL_SOCKET_FAMILY", "AF_UNIX");
  const auto selection = InterfaceSelection::from_environment();
  ASSERT_FALSE(selection.ok());
  EXPECT_EQ(selection.error().message(),
            "NCCL_SOCKET_FAMILY=AF_UNIX: want one of AF_INET|AF_INET6");
}

}  // namespace
}  // namespace hawser
