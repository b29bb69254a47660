// What follows from the options and from the machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <numeric>

#include "base/cpus.h"
#include "machine/numa.h"
#include "net/tcp/congestion.h"
#include "net/tcp/data_socket.h"
#include "net/tcp/frame.h"
#include "net/tcp/tuning.h"
#include "support/scoped_env.h"
#include "support/temp_dir.h"

namespace hawser::tcp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<int> cpus(int count) {
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

SelectedInterface nic(int numa_node) {
  SelectedInterface selected;
  selected.interface.name = "eth";
  selected.interface.numa_node = numa_node;
  return selected;
}
SelectedInterface loopback() {
  SelectedInterface selected;
  selected.interface.name = "lo";
  selected.interface.loopback = true;
  return selected;
}

// A machine whose sysfs has the nodes that the test puts there.
class TcpTuning : public testing::Test {
 protected:
  TcpTuning() { options_.sysfs_root = sysfs_.path(); }

  void add_node(int node, const std::string& cpulist) {
    const std::string folder = sysfs_.file("devices/system/node/node" + std::to_string(node));
    std::filesystem::create_directories(folder);
    test::write_file(folder + "/cpulist", cpulist + "\n");
  }
  IoPoolOptions tuned(int cpu_count, const std::vector<SelectedInterface>& interfaces = {nic(-1)}) {
    const auto tuned = tune_io(options_, cpus(cpu_count), interfaces);
    EXPECT_TRUE(tuned.ok());
    return tuned.ok() ? *tuned : IoPoolOptions{};
  }

  test::TempDir sysfs_;
  TcpOptions options_;
};

TEST_F(TcpTuning, AQuotaOfTimeCountsAsCpus) {
  EXPECT_GT(tuned(64).threads, 1);
  options_.cpu_quota = 0.5;
  EXPECT_EQ(tuned(64).threads, 0);
  options_.cpu_quota = 4.0;
  EXPECT_EQ(tuned(64).threads, 2);
}

TEST_F(TcpTuning, AThreadForEveryOtherCpuWithinReason) {
  for (const auto& [cpu_count, threads] :
       {std::pair(1, 0), {2, 0}, {3, 0}, {4, 2}, {5, 2}, {8, 4}, {16, 8}, {17, 8}, {64, 32}, {256, 32}})
    EXPECT_EQ(tuned(cpu_count).threads, threads) << cpu_count;
}

TEST_F(TcpTuning, TheNumberOfThreadsMayBeGiven) {
  options_.io_threads = 0;
  EXPECT_EQ(tuned(64).threads, 0);
  options_.io_threads = 5;
  EXPECT_EQ(tuned(1).threads, 5);
}

TEST_F(TcpTuning, ThreadsRunOnTheNodeThatAllInterfacesShare) {
  add_node(0, "0-3");
  add_node(1, "4-7");
  const IoPoolOptions near = tuned(8, {nic(1), nic(1)});
  EXPECT_THAT(near.cpus, ElementsAre(4, 5, 6, 7));
  EXPECT_EQ(near.threads, 2);
  EXPECT_THAT(tuned(8, {nic(0), nic(1)}).cpus, IsEmpty()) << "they share none";
  EXPECT_EQ(tuned(8, {nic(0), nic(1)}).threads, 4);
}

TEST_F(TcpTuning, InterfacesThatAreOnNoNodeDoNotMatter) {
  add_node(1, "4-7");
  EXPECT_THAT(tuned(8, {nic(1), loopback()}).cpus, ElementsAre(4, 5, 6, 7));
  EXPECT_THAT(tuned(8, {nic(-1), nic(1)}).cpus, ElementsAre(4, 5, 6, 7));
  EXPECT_THAT(tuned(8, {loopback()}).cpus, IsEmpty());
  EXPECT_THAT(tuned(8, {}).cpus, IsEmpty());
}

TEST_F(TcpTuning, OnlyCpusThatThisProcessMayUseCount) {
  add_node(0, "0-31");
  const auto tuned = tune_io(options_, {2, 3, 5, 40, 41}, {nic(0)});
  ASSERT_TRUE(tuned.ok());
  EXPECT_THAT(tuned->cpus, ElementsAre(2, 3, 5));
  EXPECT_EQ(tuned->threads, 0);
}

TEST_F(TcpTuning, ANodeWithoutAnyOfOurCpusIsNoPlaceToRun) {
  add_node(0, "32-63");
  EXPECT_THAT(tuned(8, {nic(0)}).cpus, IsEmpty());
  EXPECT_EQ(tuned(8, {nic(0)}).threads, 4);
}

TEST_F(TcpTuning, AnInterfacesNodeThatSysfsDoesNotKnowIsNoError) {
  EXPECT_THAT(tuned(8, {nic(3)}).cpus, IsEmpty());
}

TEST_F(TcpTuning, TheNodeMayBeGiven) {
  add_node(0, "0-3");
  add_node(1, "4-5,7");
  options_.io_numa_node = 1;
  EXPECT_THAT(tuned(8, {nic(0)}).cpus, ElementsAre(4, 5, 7));
}

TEST_F(TcpTuning, AGivenNodeThatDoesNotExistIsAnErrorThatNamesIt) {
  options_.io_numa_node = 9;
  const auto tuned = tune_io(options_, cpus(8), {nic(0)});
  ASSERT_FALSE(tuned.ok());
  EXPECT_EQ(tuned.error().code(), Code::unavailable);
  EXPECT_THAT(tuned.error().message(), HasSubstr("no NUMA node 9"));
  EXPECT_THAT(tuned.error().message(), HasSubstr(sysfs_.path()));
}

TEST_F(TcpTuning, ANodesListThatIsNoneIsAnError) {
  add_node(0, "many");
  options_.io_numa_node = 0;
  EXPECT_FALSE(tune_io(options_, cpus(8), {nic(0)}).ok());
  EXPECT_FALSE(node_cpus(sysfs_.path(), 0).ok());
}

TEST_F(TcpTuning, GivenCpusGoBeforeAnyNode) {
  add_node(0, "0-7");
  options_.io_cpus = {3, 9};
  options_.io_numa_node = 0;
  EXPECT_THAT(tuned(8, {nic(0)}).cpus, ElementsAre(3, 9));
  EXPECT_EQ(tuned(8, {nic(0)}).threads, 0) << "two are few";
  options_.io_cpus = {0, 1, 2, 3};
  EXPECT_EQ(tuned(2).threads, 2);
}

TEST_F(TcpTuning, TheSpinIsAsGiven) {
  options_.io_spin_us = 123;
  EXPECT_EQ(tuned(8).spin, std::chrono::microseconds(123));
}

TEST_F(TcpTuning, SocketsByDeviceAndThreads) {
  EXPECT_EQ(tune_flows(options_, 0, true, 1), 1u) << "loopback with nobody to drive more";
  EXPECT_EQ(tune_flows(options_, 2, true, 1), 3u);
  EXPECT_EQ(tune_flows(options_, 0, false, 1), 4u) << "a NIC's queues";
  EXPECT_EQ(tune_flows(options_, 8, false, 1), 9u);
  EXPECT_EQ(tune_flows(options_, 64, false, 1), 9u);
  EXPECT_EQ(tune_flows(options_, 0, true, 4), 4u) << "one for each interface at least";
}

TEST_F(TcpTuning, TheNumberOfSocketsMayBeGiven) {
  options_.sockets_per_channel = 2;
  EXPECT_EQ(tune_flows(options_, 8, false, 4), 2u);
  options_.sockets_per_channel = 1000;
  EXPECT_EQ(tune_flows(options_, 8, false, 1), kMaxFlows);
}

TEST(TcpTuningEnvironment, IsRead) {
  const test::ScopedEnvironment sockets("HAWSER_SOCKETS_PER_CHANNEL", "5");
  const test::ScopedEnvironment threads("HAWSER_IO_THREADS", "3");
  const test::ScopedEnvironment where("HAWSER_IO_CPUS", "1,4-5");
  const test::ScopedEnvironment node("HAWSER_IO_NUMA_NODE", "2");
  const test::ScopedEnvironment spin("HAWSER_IO_SPIN_US", "7");
  const test::ScopedEnvironment congestion("HAWSER_CONGESTION_CONTROL", "reno");
  const auto options = TcpOptions::from_environment();
  ASSERT_TRUE(options.ok()) << options.error().message();
  EXPECT_EQ(options->sockets_per_channel, 5);
  EXPECT_EQ(options->io_threads, 3);
  EXPECT_THAT(options->io_cpus, ElementsAre(1, 4, 5));
  EXPECT_EQ(options->io_numa_node, 2);
  EXPECT_EQ(options->io_spin_us, 7);
  EXPECT_EQ(options->congestion, "reno");
}

TEST(TcpTuningEnvironment, WhatIsWrongIsNamed) {
  for (const auto& [name, value] : {std::pair("HAWSER_IO_CPUS", "0-"),
                                    {"HAWSER_IO_THREADS", "65"},
                                    {"HAWSER_SOCKETS_PER_CHANNEL", "-1"},
                                    {"HAWSER_IO_NUMA_NODE", "x"}}) {
    const test::ScopedEnvironment wrong(name, value);
    const auto options = TcpOptions::from_environment();
    ASSERT_FALSE(options.ok()) << name;
    EXPECT_EQ(options.error().code(), Code::invalid_argument);
    EXPECT_THAT(options.error().message(), HasSubstr(name));
  }
}

// What a socket has that nobody told anything.
std::string system_default() {
  const auto fd = open_data_socket(IpFamily::ipv4, {});
  return fd.ok() ? congestion_of(fd->get()) : "";
}
std::string listed(const char* file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return " " + line + " ";
}
bool may_choose(const std::string& name) {
  return open_data_socket(IpFamily::ipv4, {0, name}).ok();
}

TEST(TcpCongestion, AutoIsTheSystemsUnlessThatIsABbr) {
  const auto chosen = choose_congestion("auto");
  ASSERT_TRUE(chosen.ok());
  std::string expected = system_default();
  if (expected.starts_with("bbr") && may_choose("reno")) expected = "reno";
  if (system_default().starts_with("bbr") && may_choose("cubic")) expected = "cubic";
  EXPECT_EQ(*chosen, expected);
}

TEST(TcpCongestion, SystemIsTheSystems) {
  const auto chosen = choose_congestion("system");
  ASSERT_TRUE(chosen.ok());
  EXPECT_EQ(*chosen, system_default());
  EXPECT_NE(*chosen, "");
}

TEST(TcpCongestion, ANameIsTakenAndTheSocketsHaveIt) {
  if (!may_choose("reno")) GTEST_SKIP() << "this process may not choose reno";
  EXPECT_EQ(choose_congestion("reno").value(), "reno");
  const auto fd = open_data_socket(IpFamily::ipv4, {0, "reno"});
  ASSERT_TRUE(fd.ok());
  EXPECT_EQ(congestion_of(fd->get()), "reno");
}

TEST(TcpCongestion, AnUnknownNameIsAnErrorThatNamesWhatThereIs) {
  for (const std::string name : {"pigeon", "a-name-that-is-far-too-long-for-the-kernel", ""}) {
    const auto chosen = choose_congestion(name);
    ASSERT_FALSE(chosen.ok()) << name;
    EXPECT_THAT(chosen.error().message(), HasSubstr("'" + name + "'"));
    std::string there_is = listed("/proc/sys/net/ipv4/tcp_available_congestion_control");
    EXPECT_THAT(chosen.error().message(),
                HasSubstr("this kernel has" + there_is.substr(0, there_is.size() - 1)));
  }
}

TEST(TcpCongestion, WhatIsNoSocketHasNone) {
  EXPECT_EQ(congestion_of(-1), "");
  EXPECT_FALSE(set_congestion(-1, "cubic").ok());
}

TEST(TcpCongestion, ANetSaysWhichItUses) {
  TcpOptions options;
  options.interfaces.names = "=lo";
  options.congestion = "system";
  options.io_threads = 0;
  const auto net = make_tcp_net(options);
  ASSERT_TRUE(net.ok());
  EXPECT_EQ((*net)->devices()[0].manner,
            system_default() + ", at most 1 socket per channel, 0 I/O threads");
  options.congestion = "pigeon";
  EXPECT_FALSE(make_tcp_net(options).ok());
}

}  // namespace
}  // namespace hawser::tcp
