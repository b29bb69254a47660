#include "support/sysfs_tree.h"

#include <gtest/gtest.h>
#include <net/if.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace hawser::test {
namespace {

namespace fs = std::filesystem;

}  // namespace

SysfsTree::SysfsTree(const std::string& machine) {
  std::ifstream in(HAWSER_TEST_SOURCE_DIR "/tests/data/topology/" + machine + ".txt");
  EXPECT_TRUE(in.good()) << "no machine " << machine;
  for (std::string line; std::getline(in, line);) add(line);
}

void SysfsTree::add(const std::string& line) {
  std::istringstream words(line);
  std::string kind, name, path;
  int numa_node = -1, speed = 0;
  words >> kind;
  if (kind == "nic") words >> name;
  words >> path >> numa_node;
  if (kind == "nic") words >> speed;
  ASSERT_FALSE(words.fail()) << line;
  const std::string function = add_function(path, numa_node);
  if (kind == "gpu") {
    gpus_.push_back(fs::path(path).filename());
    return;
  }
  const fs::path interface = fs::path(root()) / "class" / "net" / name;
  fs::create_directories(interface);
  fs::create_directory_symlink(function, interface / "device");
  std::ofstream(interface / "speed") << speed << '\n';
  nics_.push_back(name);
}

std::string SysfsTree::add_function(const std::string& path, int numa_node) {
  const fs::path function = fs::path(root()) / "devices" / path;
  const fs::path bus = fs::path(root()) / "bus" / "pci" / "devices";
  fs::create_directories(function);
  fs::create_directories(bus);
  std::ofstream(function / "numa_node") << numa_node << '\n';
  fs::create_directory_symlink(function, bus / function.filename());
  return function;
}

std::vector<AddressRecord> SysfsTree::interfaces() const {
  std::vector<AddressRecord> records;
  for (std::size_t i = 0; i < nics_.size(); ++i)
    records.push_back({nics_[i], static_cast<unsigned>(i + 2), IFF_UP,
                       IpAddress::parse("10.0." + std::to_string(i) + ".1")});
  return records;
}

}  // namespace hawser::test
