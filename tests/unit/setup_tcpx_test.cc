#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "setup/rxdm.h"
#include "setup/tcpx_setup.h"
#include "support/sysfs_tree.h"
#include "support/temp_dir.h"
#include "support/unix_server.h"

namespace hawser {
namespace {

using test::SysfsTree;
using test::TempDir;
using test::UnixServer;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kGpu = "0000:04:00.0";

// A3-High as it should be; a test breaks what it is about.
class TcpxSetupTest : public testing::Test {
 protected:
  TcpxSetupTest() {
    for (const std::string& path : rxdm_sockets(dir_.path(), kGpu))
      manager_.push_back(std::make_unique<UnixServer>(path));
    setup_.plugin = {"GPUDirectTCPX_v7", 7, "/usr/local/tcpx/lib64/libnccl-net.so"};
    setup_.kind = TcpxKind::real;
    setup_.version = "3.1.9";
    setup_.dynamic_chunk_bytes = "524288";
    setup_.tx_bindings = "eth1:8-21,112-125;eth3:60-73,164-177";
    setup_.rx_bindings = "eth1:22-35,126-139;eth3:74-87,178-191";
    setup_.data_interfaces = "eth1,eth2,eth3,eth4";
    setup_.control_device = "eth0";
    setup_.rxdm_folder = dir_.path();
    setup_.gpu_bus_id = kGpu;
    setup_.cpus.resize(208);
    std::iota(setup_.cpus.begin(), setup_.cpus.end(), 0);
    setup_.interfaces = *list_interfaces(
        tree_.root(), [this] { return Result<std::vector<AddressRecord>>(tree_.interfaces()); });
    for (const Interface& nic : setup_.interfaces) setup_.interface_names.push_back(nic.name);
  }

  PciPlace nic(const std::string& name) const {
    const auto at = std::ranges::find(setup_.interfaces, name, &Interface::name);
    return {at->name, at->pci_path, at->numa_node};
  }
  std::vector<PciPlace> nics() const {
    return {nic("eth1"), nic("eth2"), nic("eth3"), nic("eth4")};
  }
  PciPlace gpu(std::size_t index) const {
    return find_pci_function(tree_.root(), "GPU " + std::to_string(index),
                             tree_.gpu_addresses()[index]);
  }

  SysfsTree tree_{"a3_high"};
  TempDir dir_;
  std::vector<std::unique_ptr<UnixServer>> manager_;
  TcpxSetup setup_;
};

void expect_finding(const std::optional<Finding>& finding, Severity severity,
                    const std::string& what, const std::string& fix) {
  ASSERT_TRUE(finding.has_value()) << "want " << what;
  EXPECT_EQ(finding->severity, severity) << finding->text();
  EXPECT_THAT(finding->what, HasSubstr(what));
  EXPECT_THAT(finding->fix, HasSubstr(fix));
}

TEST_F(TcpxSetupTest, ARightOneHasNoFinding) {
  const auto outcomes = check_tcpx_setup(setup_);
  EXPECT_EQ(outcomes.size(), 10u);
  for (const CheckOutcome& outcome : outcomes)
    EXPECT_FALSE(outcome.finding.has_value()) << outcome.subject << ": " << outcome.finding->text();
  EXPECT_TRUE(setup_errors(setup_, outcomes).ok());
}

TEST_F(TcpxSetupTest, TheEmulatorNeedsNoHardware) {
  TcpxSetup bare;
  bare.kind = TcpxKind::emulated;
  bare.dynamic_chunk_bytes = "524288";
  const auto outcomes = check_tcpx_setup(bare);
  EXPECT_EQ(outcomes.size(), 4u);
  for (const CheckOutcome& outcome : outcomes) EXPECT_FALSE(outcome.finding) << outcome.subject;
  bare.kind = TcpxKind::none;
  EXPECT_TRUE(check_tcpx_setup(bare).empty());
}

TEST_F(TcpxSetupTest, AllErrorsAreToldTogether) {
  setup_.threads = "16";
  setup_.control_device = "eth9";
  setup_.version = "4.0.0";  // a warning: no error
  const Status status = setup_errors(setup_, check_tcpx_setup(setup_));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), Code::invalid_argument);
  EXPECT_THAT(status.error().message(),
              AllOf(HasSubstr("GPUDirectTCPX_v7"), HasSubstr("(1) NCCL_NSOCKS_PERTHREAD"),
                    HasSubstr("(2) NCCL_GPUDIRECTTCPX_CTRL_DEV"), testing::Not(HasSubstr("(3)")),
                    testing::Not(HasSubstr("4.0.0"))));
}

TEST_F(TcpxSetupTest, AnotherVersionIsAWarning) {
  EXPECT_FALSE(check_version(setup_));
  setup_.version = "";  // not told: nothing to say
  EXPECT_FALSE(check_version(setup_));
  setup_.version = "3.2.0";
  expect_finding(check_version(setup_), Severity::warning, "3.2.0", "3.1.");
}

TEST_F(TcpxSetupTest, AGpuMustBeInUse) {
  EXPECT_FALSE(check_gpu(setup_));
  setup_.gpu_bus_id = "";
  expect_finding(check_gpu(setup_), Severity::error, "no GPU", "--memory cuda");
}

TEST_F(TcpxSetupTest, MessagesAreNotSentInline) {
  EXPECT_FALSE(check_inline(setup_));
  setup_.inline_bytes = "0";
  EXPECT_FALSE(check_inline(setup_));
  setup_.inline_bytes = "64";
  expect_finding(check_inline(setup_), Severity::error, "NCCL_INLINE_THRESHOLD=64", "unset");
  setup_.inline_bytes = "some";
  expect_finding(check_inline(setup_), Severity::error, "NCCL_INLINE_THRESHOLD", "0");
}

TEST_F(TcpxSetupTest, NicsAreOnANumaNodeThatThePluginFinds) {
  EXPECT_FALSE(check_numa_nodes(setup_)) << "nodes are not known";
  setup_.numa_nodes = {0, 1};
  EXPECT_FALSE(check_numa_nodes(setup_));
  setup_.numa_nodes = {0};
  expect_finding(check_numa_nodes(setup_), Severity::error, "has no node 1", "NUMA");
  for (Interface& nic : setup_.interfaces) nic.numa_node = 0;
  EXPECT_FALSE(check_numa_nodes(setup_));
  std::ranges::find(setup_.interfaces, "eth2", &Interface::name)->numa_node = -1;
  expect_finding(check_numa_nodes(setup_), Severity::error, "eth2 is on NUMA node -1", "NUMA");
}

TEST_F(TcpxSetupTest, TheReceiveManagerMustAnswer) {
  EXPECT_FALSE(check_rxdm(setup_));
  manager_.pop_back();
  expect_finding(check_rxdm(setup_), Severity::error, "get_gpu_metadata_0000:04:00.0: Connection",
                 "start tcpgpudmarxd");
  setup_.gpu_bus_id = "0000:05:00.0";
  expect_finding(check_rxdm(setup_), Severity::error, "get_gpu_fd_0000:05:00.0: No such file",
                 "NCCL_GPUDIRECTTCPX_UNIX_CLIENT_PREFIX");
  setup_.rxdm_folder = dir_.file("nowhere");
  expect_finding(check_rxdm(setup_), Severity::error, "nowhere/rx_rule_manager", "--uds_path");
}

TEST_F(TcpxSetupTest, TheChunkIsThePluginsOrLess) {
  EXPECT_FALSE(check_chunk(setup_));
  setup_.wanted_chunk_bytes = 524288;
  EXPECT_FALSE(check_chunk(setup_));
  setup_.dynamic_chunk_bytes = "131072";
  expect_finding(check_chunk(setup_), Severity::error,
                 "NCCL_DYNAMIC_CHUNK_SIZE=131072 and chunks of 524288", "unset");
  setup_.wanted_chunk_bytes = 131072;
  EXPECT_FALSE(check_chunk(setup_));
  for (const char* bad : {"0", "1048576", "512K"}) {
    setup_.dynamic_chunk_bytes = bad;
    expect_finding(check_chunk(setup_), Severity::error, "NCCL_DYNAMIC_CHUNK_SIZE=", "524288");
  }
  setup_.dynamic_chunk_bytes.reset();
  expect_finding(check_chunk(setup_), Severity::error, "hangs", "524288");
}

TEST_F(TcpxSetupTest, AChannelHasEightSocketsAtMost) {
  EXPECT_FALSE(check_sockets(setup_));
  const auto given = [this](const char* sockets, const char* threads) {
    setup_.sockets_per_thread = sockets;
    setup_.threads = threads;
    return check_sockets(setup_);
  };
  for (const auto& [sockets, threads] : {std::pair{"8", "1"}, {"1", "8"}, {"4", "2"}})
    EXPECT_FALSE(given(sockets, threads)) << sockets << " x " << threads;
  expect_finding(given("8", "2"), Severity::error, "make 16 sockets", "NCCL_NSOCKS_PERTHREAD=2");
  expect_finding(given("1", "9"), Severity::error, "make 9 sockets", "NCCL_SOCKET_NTHREADS=1");
  expect_finding(given("9", "1"), Severity::error, "NCCL_NSOCKS_PERTHREAD=9", "unset");
  expect_finding(given("2", "two"), Severity::error, "NCCL_SOCKET_NTHREADS=two", "unset");
}

TEST_F(TcpxSetupTest, CoreSetsAreReadableDisjointAndThere) {
  EXPECT_FALSE(check_core_sets(setup_));
  setup_.rx_bindings = "eth1:22-35,120-139;eth3:74-87";
  expect_finding(check_core_sets(setup_), Severity::error, "share the cores 120-125",
                 "of their own");
  setup_.rx_bindings = "eth3:20-22";  // of another NIC: the cores are the same
  expect_finding(check_core_sets(setup_), Severity::error, "share the cores 20-21", "of their own");
  setup_.rx_bindings = "eth1:22-35,300-301";
  expect_finding(check_core_sets(setup_), Severity::error, "cores 300-301", "cores that there are");
  setup_.cpus.clear();  // not known
  EXPECT_FALSE(check_core_sets(setup_));
  setup_.rx_bindings = "eth1=22";
  expect_finding(check_core_sets(setup_), Severity::error, "RX_BINDINGS=eth1=22", "eth1:8-21");
}

TEST_F(TcpxSetupTest, CoreSetsOfNoInterfaceAreWarnedOf) {
  setup_.tx_bindings = "enp6s0:8-21";
  expect_finding(check_core_sets(setup_), Severity::warning, "enp6s0", "hawser devices");
  setup_.interface_names.clear();  // not known
  EXPECT_FALSE(check_core_sets(setup_));
}

TEST_F(TcpxSetupTest, UnsetCoreSetsAreWarnedOf) {
  setup_.rx_bindings.reset();
  expect_finding(check_core_sets(setup_), Severity::warning, "RX_BINDINGS is unset", "set it");
  setup_.tx_bindings.reset();
  expect_finding(check_core_sets(setup_), Severity::warning, "TX_BINDINGS is unset", "set it");
}

TEST_F(TcpxSetupTest, DataNicsAreNamedAndThere) {
  EXPECT_FALSE(check_data_interfaces(setup_));
  setup_.data_interfaces = "enp6s0";
  expect_finding(check_data_interfaces(setup_), Severity::error, "SOCKET_IFNAME='enp6s0'", "eth1");
  setup_.data_interfaces.reset();
  expect_finding(check_data_interfaces(setup_), Severity::warning, "is unset", "eth1,eth2");
}

TEST_F(TcpxSetupTest, TheControlDeviceIsUpWithAnAddress) {
  EXPECT_FALSE(check_control_device(setup_));
  setup_.control_device = "eth7";
  expect_finding(check_control_device(setup_), Severity::error, "CTRL_DEV='eth7'", "eth0");
  setup_.control_device.reset();
  EXPECT_FALSE(check_control_device(setup_));
}

TEST_F(TcpxSetupTest, ThisMachineIsNoPeer) {
  setup_.peer = "node1";
  setup_.peer_addresses = {*IpAddress::parse("10.9.9.9")};
  EXPECT_FALSE(check_peer(setup_));
  setup_.peer_addresses.push_back(*IpAddress::parse("10.0.2.1"));  // eth2's
  expect_finding(check_peer(setup_), Severity::error, "rx no cmsg", "another machine");
  setup_.peer_addresses = {*IpAddress::parse("127.3.2.1")};
  expect_finding(check_peer(setup_), Severity::error, "node1 (127.3.2.1)", "--plugin builtin");
  EXPECT_EQ(check_tcpx_setup(setup_).back().subject, "peer");
}

// {0,1} -> eth1, {2,3} -> eth2, {4,5} -> eth3, {6,7} -> eth4, and nothing else.
TEST_F(TcpxSetupTest, ANicServesTheGpusOfItsRoot) {
  for (std::size_t i = 0; i < 8; ++i)
    for (std::size_t j = 0; j < 4; ++j) {
      const auto finding = check_nic_of_gpu(gpu(i), nics()[j], nics());
      if (j == i / 2)
        EXPECT_FALSE(finding) << i << " " << nics()[j].name;
      else
        expect_finding(finding, Severity::error, "do not share a PCIe root",
                       "use eth" + std::to_string(i / 2 + 1));
    }
  expect_finding(check_nic_of_gpu(gpu(0), nic("eth0"), {nic("eth0")}), Severity::error, "eth0",
                 "another GPU");
  expect_finding(check_nic_of_gpu({"GPU 0", "", -1}, nic("eth1"), nics()), Severity::warning,
                 "not known", "/sys");
}

}  // namespace
}  // namespace hawser
