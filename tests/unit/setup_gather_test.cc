#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/log.h"
#include "net/hosted/hosted_net.h"
#include "setup/tcpx_gather.h"
#include "setup/tcpx_report.h"
#include "support/fake_plugin.h"
#include "support/ports.h"
#include "support/scoped_env.h"
#include "support/sysfs_tree.h"
#include "support/temp_dir.h"

namespace hawser {
namespace {

using test::FakePlugin;
using test::ScopedEnvironment;
using test::TempDir;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(TcpxGather, SocketsAndThreadsAreSetWhereBothAreUnset) {
  const ScopedEnvironment sockets("NCCL_NSOCKS_PERTHREAD", nullptr);
  const ScopedEnvironment threads("NCCL_SOCKET_NTHREADS", nullptr);
  set_tcpx_defaults();
  EXPECT_STREQ(std::getenv("NCCL_NSOCKS_PERTHREAD"), "2");
  EXPECT_STREQ(std::getenv("NCCL_SOCKET_NTHREADS"), "1");
  const ScopedEnvironment one("NCCL_NSOCKS_PERTHREAD", nullptr);
  const ScopedEnvironment given("NCCL_SOCKET_NTHREADS", "6");
  set_tcpx_defaults();
  EXPECT_EQ(std::getenv("NCCL_NSOCKS_PERTHREAD"), nullptr);
}

TEST(TcpxGather, TheVersionStandsInTheLibrary) {
  const TempDir dir;
  const auto version_of = [&](const std::string& contents) {
    test::write_file(dir.file("lib.so"), contents);
    return version_in_library(dir.file("lib.so"));
  };
  const std::string line = "NET/GPUDirectTCPX ver. 3.1.9.";
  EXPECT_EQ(version_of(std::string("\0ELF\0", 5) + line + std::string("\0other", 6)), "3.1.9");
  EXPECT_EQ(version_of(line), "3.1.9");
  EXPECT_EQ(version_of("no such line"), "");
  EXPECT_EQ(version_in_library(dir.file("none")), "");
  // Wherever a block of what is read may end.
  for (std::size_t before = (1 << 20) - 64; before < (1 << 20) + 2; ++before)
    ASSERT_EQ(version_of(std::string(before, 'x') + line + std::string(100, '\0')), "3.1.9")
        << before;
}

TEST(TcpxGather, ReadsTheMachineAndTheEnvironment) {
  const test::SysfsTree tree("a3_high");
  const ScopedEnvironment root("HAWSER_SYSFS_ROOT", tree.root().c_str());
  const ScopedEnvironment chunk("NCCL_DYNAMIC_CHUNK_SIZE", "65536");
  const ScopedEnvironment prefix("NCCL_GPUDIRECTTCPX_UNIX_CLIENT_PREFIX", nullptr);
  const ScopedEnvironment control("NCCL_GPUDIRECTTCPX_CTRL_DEV", "eth0");
  const TcpxSetup setup = gather_tcpx_setup({"GPUDirectTCPX_v7", 7, "/nowhere"});
  EXPECT_EQ(setup.kind, TcpxKind::real);
  EXPECT_EQ(setup.dynamic_chunk_bytes, "65536");
  EXPECT_EQ(setup.control_device, "eth0");
  EXPECT_EQ(setup.rxdm_folder, "/tmp");
  EXPECT_THAT(setup.interface_names,
              testing::UnorderedElementsAre("eth0", "eth1", "eth2", "eth3", "eth4"));
  EXPECT_TRUE(setup.cpus.empty());  // the tree says nothing of them
}

TEST(TcpxGather, ThisMachineIsRefusedByNameAndAddress) {
  std::vector<const char*> names = {"127.0.0.1", "::1", "[::1]"};
  if (test::localhost_is_known()) names.push_back("localhost");
  for (const char* const here : names) {
    const Status status = refuse_same_host("GPUDirectTCPX_v7", here);
    ASSERT_FALSE(status.ok()) << here;
    EXPECT_EQ(status.error().code(), Code::invalid_argument);
    EXPECT_THAT(status.error().message(), HasSubstr("rx no cmsg"));
  }
  EXPECT_TRUE(refuse_same_host("GPUDirectTCPX_v7", "192.0.2.1").ok());
}

TEST(TcpxReport, WarningsAreToldOnceInAProcess) {
  const ScopedEnvironment chunk("NCCL_DYNAMIC_CHUNK_SIZE", "524288");
  const ScopedEnvironment sockets("NCCL_NSOCKS_PERTHREAD", "4");
  const ScopedEnvironment tx("NCCL_GPUDIRECTTCPX_TX_BINDINGS", "told-once:0-0");
  const ScopedEnvironment rx("NCCL_GPUDIRECTTCPX_RX_BINDINGS", nullptr);
  std::vector<std::string> lines;
  set_log_sink([&](LogLevel, std::string_view line) { lines.emplace_back(line); });
  for (int i = 0; i < 2; ++i) {
    const auto report = inspect_tcpx({"GPUDirectTCPX_emulated_v7", 7, ""}, {});
    EXPECT_TRUE(report.ok()) << report.error().message();
  }
  set_log_sink({});
  EXPECT_THAT(lines, ElementsAre(HasSubstr("told-once")));
}

TEST(TcpxReport, ADeviceFarFromTheGpuIsRefused) {
  const test::SysfsTree tree("a3_high");
  const ScopedEnvironment root("HAWSER_SYSFS_ROOT", tree.root().c_str());
  GpuInfo gpu;
  gpu.ordinal = 2;
  gpu.pci_bus_id = tree.gpu_addresses()[2];
  std::vector<NetDevice> nics(2);
  nics[0].name = "eth1";
  nics[0].pci_path = tree.root() + "/class/net/eth1/device";
  nics[1].name = "eth2";
  nics[1].pci_path = tree.root() + "/class/net/eth2/device";
  EXPECT_TRUE(inspect_nic(gpu, nics[0], nics).ok()) << "not real devmem";
  for (NetDevice& nic : nics) nic.devmem = Devmem::real;
  EXPECT_TRUE(inspect_nic(gpu, nics[1], nics).ok());
  EXPECT_THAT(inspect_nic(gpu, nics[0], nics).error().message(),
              AllOf(HasSubstr("GPU 2 and eth1"), HasSubstr("use eth2 with GPU 2")));
}

// Which plugins are TCPX, and what is asked before they are initialised.
TEST(TcpxKindOfPlugin, IsToldByItsName) {
  EXPECT_EQ(tcpx_kind("GPUDirectTCPX_v7"), TcpxKind::real);
  EXPECT_EQ(tcpx_kind("GPUDirectTCPX_emulated_v7"), TcpxKind::emulated);
  for (const char* other : {"GPUDirectTCPXO_v7", "FasTrak", "Simulated loopback v7", ""})
    EXPECT_EQ(tcpx_kind(other), TcpxKind::none) << other;
}

TEST(TcpxKindOfPlugin, ARefusedPluginIsNeverCalled) {
  FakePlugin fake;
  const auto table = test::fake::make_table<abi::NetV7>("GPUDirectTCPX_v7");
  PluginOptions options;
  PluginFound asked;
  options.before_init = [&](const PluginFound& found) -> Status {
    asked = found;
    return Error(Code::invalid_argument, "not like this");
  };
  const auto net = test::host_fake(table, options);
  ASSERT_FALSE(net.ok());
  EXPECT_EQ(net.error().message(), "not like this");
  EXPECT_EQ(asked.name, "GPUDirectTCPX_v7");
  EXPECT_EQ(asked.abi_version, 7);
  EXPECT_TRUE(fake.calls.empty());
}

TEST(TcpxKindOfPlugin, AnotherLayoutOfFragmentsIsRefused) {
  FakePlugin fake;
  fake.device_type = abi::kDeviceUnpack;
  fake.device_version = 8;
  const auto table = test::fake::make_table<abi::NetV7>("GPUDirectTCPX_v7");
  const auto net = test::host_fake(table);
  ASSERT_FALSE(net.ok());
  EXPECT_THAT(net.error().message(), AllOf(HasSubstr("version 8"), HasSubstr("version 7")));
}

}  // namespace
}  // namespace hawser
