#include "base/cpu_quota.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

#include "base/cpus.h"

namespace hawser {
namespace {

constexpr std::string_view kCpuController = "cpu";

// Where a hierarchy can be seen, and which part of it: `cgroup` of it is what `mount_point` shows.
struct CgroupMount {
  bool v2 = false;
  std::string mount_point;
  std::string cgroup;
};

bool has_word(const std::string& list, std::string_view word) {
  std::istringstream words(list);
  for (std::string one; std::getline(words, one, ',');)
    if (one == word) return true;
  return false;
}

// "36 35 98:0 /docker/1f /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct", as proc(5) says.
std::optional<CgroupMount> read_mount(const std::string& line) {
  const std::size_t dash = line.find(" - ");
  if (dash == std::string::npos) return std::nullopt;
  CgroupMount mount;
  std::string skipped, type, source, options;
  std::istringstream(line.substr(0, dash)) >> skipped >> skipped >> skipped >> mount.cgroup >>
      mount.mount_point;
  std::istringstream(line.substr(dash + 3)) >> type >> source >> options;
  mount.v2 = type == "cgroup2";
  if (!mount.v2 && (type != "cgroup" || !has_word(options, kCpuController))) return std::nullopt;
  return mount;
}

std::vector<CgroupMount> mounts(const std::string& root) {
  std::vector<CgroupMount> all;
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);)
    if (auto mount = read_mount(line)) all.push_back(*std::move(mount));
  return all;
}

// "4:cpu,cpuacct:/a/b", or "0::/a/b" of v2. Nothing: this process is in no such hierarchy.
std::optional<std::string> own_cgroup(const std::string& root, bool v2) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (v2 ? line.starts_with("0::") : has_word(controllers, kCpuController))
      return line.substr(second + 1);
  }
  return std::nullopt;
}

std::optional<double> share(double quota_us, double period_us) {
  if (quota_us <= 0 || period_us <= 0) return std::nullopt;
  return quota_us / period_us;
}

std::optional<double> quota_of_folder(const std::string& folder, bool v2) {
  double quota = -1, period = -1;
  if (v2) {
    std::ifstream(folder + "/cpu.max") >> quota >> period;  // "max 100000": no number, no quota
  } else {
    std::ifstream(folder + "/cpu.cfs_quota_us") >> quota;  // -1: none
    std::ifstream(folder + "/cpu.cfs_period_us") >> period;
  }
  return share(quota, period);
}

std::optional<double> least(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

// From our cgroup up to what the mount shows, which is all that a container sees of it.
std::optional<double> quota_below(const std::string& root, const CgroupMount& mount,
                                  std::string cgroup) {
  if (mount.cgroup != "/") {
    const bool below = cgroup.starts_with(mount.cgroup);
    cgroup = below ? cgroup.substr(mount.cgroup.size()) : "";
  }
  while (cgroup.ends_with('/')) cgroup.pop_back();
  std::optional<double> quota;
  while (true) {
    quota = least(quota, quota_of_folder(root + mount.mount_point + cgroup, mount.v2));
    if (cgroup.empty()) return quota;
    cgroup.resize(std::min(cgroup.rfind('/'), cgroup.size() - 1));
  }
}

}  // namespace

std::optional<double> cpu_quota(const std::string& root) {
  std::optional<double> quota;
  for (const CgroupMount& mount : mounts(root))
    if (const auto cgroup = own_cgroup(root, mount.v2))
      quota = least(quota, quota_below(root, mount, *cgroup));
  return quota;
}

std::size_t usable_cpus(std::size_t allowed, std::optional<double> quota) {
  const std::size_t there = std::max<std::size_t>(allowed, 1);
  if (!quota || *quota >= static_cast<double>(there)) return there;
  return std::max<std::size_t>(static_cast<std::size_t>(std::floor(*quota)), 1);
}

std::size_t usable_cpus() {
  return usable_cpus(allowed_cpus().size(), cpu_quota());
}

}  // namespace hawser
