#include <gtest/gtest.h>

#include <filesystem>

#include "base/cpu_quota.h"
#include "support/temp_dir.h"

namespace hawser::test {
namespace {

constexpr const char* kV2Mount = "30 24 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";

class CpuQuota : public testing::Test {
 protected:
  CpuQuota() { mounted(""); }
  void file(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_.path() + path).parent_path());
    write_file(root_.path() + path, text);
  }
  void mounted(const std::string& lines) {
    file("/proc/self/mountinfo", "22 1 0:20 / /proc rw - proc proc rw\nnonsense\n" + lines);
  }
  std::optional<double> quota() const { return cpu_quota(root_.path()); }

 private:
  TempDir root_;
};

TEST_F(CpuQuota, IsNoneWhereNobodyTells) {
  EXPECT_EQ(quota(), std::nullopt);
  EXPECT_EQ(cpu_quota("/nowhere"), std::nullopt);
  mounted(kV2Mount);
  EXPECT_EQ(quota(), std::nullopt);
  file("/proc/self/cgroup", "0::/a\n");
  EXPECT_EQ(quota(), std::nullopt);
  file("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), std::nullopt);
  file("/sys/fs/cgroup/a/cpu.max", "0 0\n");
  EXPECT_EQ(quota(), std::nullopt);
}

TEST_F(CpuQuota, OfVersion2IsTheLeastOnTheWholePath) {
  mounted(kV2Mount);
  file("/proc/self/cgroup", "0::/pods/one/box\n");
  file("/sys/fs/cgroup/pods/one/box/cpu.max", "400000 100000\n");
  EXPECT_EQ(quota(), 4.0);
  file("/sys/fs/cgroup/pods/cpu.max", "50000 100000\n");
  EXPECT_EQ(quota(), 0.5);
  file("/sys/fs/cgroup/pods/one/cpu.max", "max 100000\n");
  file("/sys/fs/cgroup/cpu.max", "20000 100000\n");
  EXPECT_EQ(quota(), 0.2);
}

TEST_F(CpuQuota, OfVersion1IsInTwoFiles) {
  mounted(
      "36 24 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
      "37 24 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n");
  file("/proc/self/cgroup", "5:cpuset:/wrong\n4:cpu,cpuacct:/box\n0::/\n");
  file("/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "-1\n");
  file("/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), std::nullopt);
  file("/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "150000\n");
  EXPECT_EQ(quota(), 1.5);
}

// Without a cgroup namespace a container sees its own part under the mount point, and the whole
// path in /proc.
TEST_F(CpuQuota, OfAContainerStandsUnderTheMountPoint) {
  mounted("37 24 0:30 /docker/1f /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n");
  file("/proc/self/cgroup", "4:cpu:/docker/1f/inner\n");
  file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n");
  file("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 2.0);
  file("/sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us", "100000\n");
  file("/sys/fs/cgroup/cpu/inner/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 1.0);
  file("/proc/self/cgroup", "4:cpu:/elsewhere\n");
  EXPECT_EQ(quota(), 2.0);
}

TEST_F(CpuQuota, OfBothVersionsIsTheLess) {
  mounted(std::string(kV2Mount) + "37 24 0:30 / /cpu rw - cgroup cgroup rw,cpu\n");
  file("/proc/self/cgroup", "4:cpu:/\n0::/\n");
  file("/cpu/cpu.cfs_quota_us", "300000\n");
  file("/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 3.0);
  file("/sys/fs/cgroup/cpu.max", "700000 100000\n");
  EXPECT_EQ(quota(), 3.0);
  file("/sys/fs/cgroup/cpu.max", "70000 100000\n");
  EXPECT_EQ(quota(), 0.7);
}

TEST(UsableCpus, AreThoseThatAQuotaLetsGoOn) {
  EXPECT_EQ(usable_cpus(64, std::nullopt), 64U);
  EXPECT_EQ(usable_cpus(64, 0.5), 1U);
  EXPECT_EQ(usable_cpus(64, 3.9), 3U);
  EXPECT_EQ(usable_cpus(2, 8.0), 2U);
  EXPECT_EQ(usable_cpus(0, std::nullopt), 1U);
}

}  // namespace
}  // namespace hawser::test
